/** Traefik in front of Doorward's own proxy: whatever it adds to a request must not stop it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { requirePart } from '../support/real-part.ts'
import type { GatewayProduct } from './gateway-product.ts'
import { startGatewayUnderTest } from './gateway-under-test.ts'
import { openSocket } from './questions-streams.ts'
import { traefik } from './traefik.ts'

/** Everything goes to the public listener, and nothing is asked. */
const inFront: GatewayProduct = {
  ...traefik,
  isBeforeProxy: true,
  files(places) {
    const { 'app.yaml': app = '', ...others } = traefik.files(places)
    return {
      ...others,
      'app.yaml': app.replace('      middlewares: [doorward]\n      service: app', '      service: doorward'),
    }
  },
}

test('pages and websockets pass through Traefik and Doorward', async (t) => {
  const command = requirePart(t, 'traefik')
  if (command === undefined) return
  const gateway = await startGatewayUnderTest(t, inFront, command)
  const cookie = await gateway.cookieOf('bob')
  const opened = await openSocket(gateway, '/ws', { cookie, origin: gateway.origin })
  assert.ok(opened instanceof WebSocket, `refused with ${String(opened)}`)
  opened.send('as it was')
  const [message] = await once(opened, 'message')
  assert.equal(String(message), 'as it was')
  assert.equal(gateway.world.application.last().headers['x-auth-user'], 'bob')
  opened.close()
  assert.equal(await openSocket(gateway, '/ws', { cookie, origin: 'https://evil.example' }), 403)
})
