/** What began under a configuration ends under it, however long the provider takes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { seconds } from '../support/clock.ts'
import { clientId, clientSecret, signedIn, startGateway, until } from '../support/gateway.ts'

/** In front of a provider: holds token requests back while it is told to. */
async function openHolder(t: TestContext) {
  let provider = new URL('http://127.0.0.1')
  let holding = false
  const held: (() => void)[] = []
  const server = http.createServer((request, response) => {
    const pass = () => {
      const { method, url = '', headers } = request
      const onward = http.request(new URL(url, provider), { method, headers: { ...headers, host: provider.host } })
      onward.on('error', () => response.destroy())
      onward.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      })
      request.pipe(onward)
    }
    if (holding && request.url?.startsWith('/token')) held.push(pass)
    else pass()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    held,
    before: (issuer: string) => {
      provider = new URL(issuer)
    },
    hold: () => {
      holding = true
    },
    letGo() {
      holding = false
      for (const pass of held.splice(0)) pass()
    },
  }
}

test('a request that waits for a refresh gets its answer, though the file is replaced meanwhile', async (t) => {
  const holder = await openHolder(t)
  const gateway = await startGateway(t, {
    config({ issuer }) {
      holder.before(issuer)
      return { provider: { issuer, clientId, clientSecret, internalUrl: holder.url } }
    },
  })
  const browser = await signedIn(gateway)
  gateway.clock.move(320 * seconds)
  holder.hold()
  const waiting = browser.fetch(`${gateway.origin}/x`)
  await until(() => holder.held.length > 0, 'the refresh is under way')
  for (let round = 0; round < 3; round++) assert.equal(await gateway.server.reload(), true)
  holder.letGo()
  assert.equal((await waiting).status, 200)
  assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
  assert.deepEqual(
    gateway.lines().filter(({ event }) => event === 'refresh_failed'),
    [],
  )
})
