/** The gRPC listener in the life of the process: reloads, addresses that are taken, calls that are none of ours. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Asking, openAsking } from '../ext-authz/asking.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway, type TestGateway, until } from '../support/gateway.ts'

const routes = [{ path: '/public/*', allow: 'public' }, { allow: 'signedIn' }]
const config = { extAuthz: '127.0.0.1:0', trustedProxies: ['127.0.0.1'], routes }

function asking(t: TestContext, gateway: TestGateway): Asking & { status(uri: string): Promise<number> } {
  const opened = openAsking(Number(gateway.server.addresses.extAuthz?.port))
  t.after(() => opened.close())
  const host = new URL(gateway.origin).host
  return { ...opened, status: async (uri) => (await opened.ask({ host, uri })).status }
}

test('a reload is taken with the next question; a new address with the next start', async (t) => {
  const gateway = await startGateway(t, { config })
  const { status } = asking(t, gateway)
  assert.deepEqual([await status('/public/x'), await status('/news')], [200, 401])
  const changed = { ...config, extAuthz: `127.0.0.1:${await freePort()}` }
  gateway.write({ ...changed, routes: [{ path: '/news', allow: 'public' }, { allow: 'signedIn' }] })
  assert.equal(await gateway.server.reload(), true)
  assert.deepEqual([await status('/public/x'), await status('/news')], [401, 200])
  assert.match(gateway.logText(), /extAuthz changed; it takes effect at the next start/)
  gateway.write({ ...config, trustedProxies: ['192.0.2.1'] })
  assert.equal(await gateway.server.reload(), true)
  assert.equal(await status('/public/x'), 403)
})

test('an address that is taken is named, with its key', async (t) => {
  const first = await startGateway(t, { config })
  const taken = { ...config, extAuthz: `127.0.0.1:${first.server.addresses.extAuthz?.port}` }
  await assert.rejects(startGateway(t, { config: taken }), /extAuthz: 127\.0\.0\.1:\d+ is taken/)
})

test("what is no question of Envoy's is a failed call, and the others are answered", async (t) => {
  const gateway = await startGateway(t, { config })
  const { raw, status } = asking(t, gateway)
  const long = Buffer.alloc(5_000_000, 0x0a)
  await assert.rejects(raw('/envoy.service.auth.v3.Authorization/Check', long), { code: 8 })
  await assert.rejects(raw('/envoy.service.auth.v3.Authorization/Other', Buffer.of()), { code: 12 })
  assert.equal(await status('/public/x'), 200)
  await until(async () => gateway.logText().includes('ext-authz'), 'the answer is in the log')
})
