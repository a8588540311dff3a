/** Websockets through the same gate, and how they end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { hours } from '../support/clock.ts'
import { signedIn, startGateway, type TestGateway } from '../support/gateway.ts'
import { openWebSocket } from '../support/websocket.ts'

/** Longer than the gateway takes between two looks for sessions that ran out. */
const sweep = () => new Promise((resolve) => setTimeout(resolve, 1200))

async function credentialsOf(gateway: TestGateway) {
  const browser = await signedIn(gateway)
  return { browser, headers: { cookie: browser.cookies.header(new URL(gateway.origin))!, origin: gateway.origin } }
}

test('echoes through the gateway, and the application is told who it is', async (t) => {
  const gateway = await startGateway(t)
  const { headers } = await credentialsOf(gateway)
  const opened = await openWebSocket(t, `${gateway.origin}/ws`, { ...headers, 'x-auth-user': 'root' })
  assert.ok(opened.kind === 'open')
  opened.socket.send('hello')
  const [data] = await once(opened.socket, 'message')
  assert.equal(String(data), 'hello')
  const { headers: received } = gateway.application.last()
  assert.equal(received['x-auth-user'], 'ada')
  assert.equal(received.cookie, undefined)
})

test('is refused without a session, from another origin, without an origin, and where nothing is routed', async (t) => {
  const gateway = await startGateway(t)
  const { headers } = await credentialsOf(gateway)
  const before = gateway.application.received.length
  const { cookie } = headers
  for (const [path, sent, status] of [
    ['/ws', { origin: gateway.origin }, 401],
    ['/ws', { cookie, origin: 'https://evil.example' }, 403],
    ['/ws', { cookie, origin: 'null' }, 403],
    ['/ws', { cookie }, 403],
    ['/admin%2Fws', headers, 400],
    ['/ws', { ...headers, authorization: 'Bearer x', 'x-path': '/api' }, 'open'],
    ['/api/ws', { ...headers, authorization: 'Bearer x' }, 401],
    ['/_doorward/login', headers, 404],
  ] as const) {
    const tried = await openWebSocket(t, gateway.origin + path, sent)
    assert.equal(tried.kind === 'open' ? 'open' : tried.status, status, `${path} ${JSON.stringify(sent)}`)
  }
  assert.equal(gateway.application.received.length, before + 1)
})

test('closes with 4401 when its session signs out, and no other does', async (t) => {
  const gateway = await startGateway(t)
  const ada = await credentialsOf(gateway)
  const other = await credentialsOf(gateway)
  const mine = await openWebSocket(t, `${gateway.origin}/ws`, ada.headers)
  const theirs = await openWebSocket(t, `${gateway.origin}/ws`, other.headers)
  assert.ok(mine.kind === 'open' && theirs.kind === 'open')
  await ada.browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
  assert.equal(await mine.closed, 4401)
  assert.equal(theirs.socket.readyState, theirs.socket.OPEN)
})

test('does not keep its session alive: it closes when that has been idle for too long', async (t) => {
  const gateway = await startGateway(t)
  const { headers } = await credentialsOf(gateway)
  const opened = await openWebSocket(t, `${gateway.origin}/ws`, headers)
  assert.ok(opened.kind === 'open')
  opened.socket.send('busy')
  await once(opened.socket, 'message')
  gateway.clock.move(2 * hours)
  assert.equal(await opened.closed, 4401)
})

test('stays open while its session is used, if only by asking who am I', async (t) => {
  const gateway = await startGateway(t)
  const { browser, headers } = await credentialsOf(gateway)
  const opened = await openWebSocket(t, `${gateway.origin}/ws`, headers)
  assert.ok(opened.kind === 'open')
  // A renewal in the background replaces what the gateway holds of the session, after the request that caused it.
  gateway.clock.move(280_000)
  assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
  await sweep()
  for (let step = 0; step < 3; step++) {
    gateway.clock.move(50 * 60_000)
    assert.equal((await browser.fetch(gateway.own('session'))).status, 200)
  }
  await sweep()
  assert.equal(opened.socket.readyState, opened.socket.OPEN)
})

test('closes with 4401 when the provider ends the session', async (t) => {
  const gateway = await startGateway(t)
  const { browser, headers } = await credentialsOf(gateway)
  const opened = await openWebSocket(t, `${gateway.origin}/ws`, headers)
  assert.ok(opened.kind === 'open')
  gateway.idp.revokeAll()
  gateway.clock.move(320_000)
  assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 401)
  assert.equal(await opened.closed, 4401)
})

test('closes with 1001 when the gateway goes away', async (t) => {
  const gateway = await startGateway(t)
  const { headers } = await credentialsOf(gateway)
  const opened = await openWebSocket(t, `${gateway.origin}/ws`, headers)
  assert.ok(opened.kind === 'open')
  await gateway.server.close()
  assert.equal(await opened.closed, 1001)
})
