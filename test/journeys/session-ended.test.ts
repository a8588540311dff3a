/** Sessions whose time is up are told of in the audit log, once each. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tellOnce } from '../../src/session/run-out.ts'
import type { Session } from '../../src/session/session.ts'
import { hours, minutes } from '../support/clock.ts'
import { sessionSecret, signedIn, startGateway, type TestGateway, until } from '../support/gateway.ts'
import { openWebSocket } from '../support/websocket.ts'

const endsIn = (gateway: TestGateway) => gateway.lines().filter(({ event }) => event === 'session_ended')
const lives = { idle: '90m', lifetime: '4h' }

async function signedInAt(gateway: TestGateway) {
  const browser = await signedIn(gateway)
  const cookie = browser.cookies.header(new URL(gateway.origin))!
  // A browser that goes on sending what it has.
  const ask = async () => (await gateway.browser().fetch(`${gateway.origin}/x`, { headers: { cookie } })).status
  return { cookie, browser, ask }
}

for (const store of ['memory', 'cookie'] as const) {
  describe(`a session that ran out, store ${store}`, () => {
    test('by idling', async (t) => {
      const gateway = await startGateway(t, { store, session: lives })
      const { ask } = await signedInAt(gateway)
      gateway.clock.move(100 * minutes)
      assert.deepEqual([await ask(), await ask(), await ask()], [401, 401, 401])
      const [end, ...more] = endsIn(gateway)
      assert.deepEqual(more, [])
      assert.equal(end?.reason, 'idle')
      const login = gateway.lines().find(({ event }) => event === 'login')
      assert.deepEqual([end?.session, end?.user], [login?.session, login?.user])
      assert.match(await gateway.metrics(), /doorward_sessions_ended_total\{reason="idle"\} 1/)
    })

    test('by the end of its life', async (t) => {
      const gateway = await startGateway(t, { store, session: lives })
      const { ask } = await signedInAt(gateway)
      for (let hour = 1; hour < 4; hour++) {
        gateway.clock.move(1 * hours)
        assert.equal(await ask(), 200)
      }
      gateway.clock.move(1 * hours)
      assert.deepEqual([await ask(), await ask()], [401, 401])
      assert.deepEqual(
        endsIn(gateway).map(({ reason }) => reason),
        ['lifetime'],
      )
    })

    test('after somebody signed out of it is no second end', async (t) => {
      const gateway = await startGateway(t, { store, session: lives })
      const { ask, browser } = await signedInAt(gateway)
      await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
      gateway.clock.move(100 * minutes)
      assert.equal(await ask(), 401)
      assert.deepEqual(endsIn(gateway), [])
    })
  })
}

for (const store of ['memory', 'cookie'] as const) {
  test(`a life that a new file shortens ends by that file, though no request of it came since (${store})`, async (t) => {
    const gateway = await startGateway(t, { store, session: lives })
    const { ask } = await signedInAt(gateway)
    gateway.write({ session: { store, secret: sessionSecret, idle: '30m', lifetime: '1h' } })
    assert.equal(await gateway.server.reload(), true)
    gateway.clock.move(61 * minutes)
    assert.deepEqual([await ask(), await ask()], [401, 401])
    assert.deepEqual(
      endsIn(gateway).map(({ reason }) => reason),
      ['lifetime'],
    )
  })
}

for (const [store, life, reason] of [
  ['memory', 100 * minutes, 'idle'],
  ['cookie', 4 * hours, 'lifetime'],
] as const) {
  test(`a websocket that is cut off tells of it, and a request afterwards adds nothing (${store})`, async (t) => {
    const gateway = await startGateway(t, { store, session: lives })
    const { cookie, ask } = await signedInAt(gateway)
    const opened = await openWebSocket(t, `${gateway.origin}/ws`, { cookie, origin: gateway.origin })
    assert.ok(opened.kind === 'open')
    gateway.clock.move(life)
    assert.equal(await opened.closed, 4401)
    await until(() => endsIn(gateway).length === 1, 'the end is told')
    assert.equal(await ask(), 401)
    assert.deepEqual(
      endsIn(gateway).map((end) => end.reason),
      [reason],
    )
  })
}

test('where another replica may know better, a websocket alone does not tell that a session idled', async (t) => {
  const gateway = await startGateway(t, { store: 'cookie', session: lives })
  const { cookie, ask } = await signedInAt(gateway)
  const opened = await openWebSocket(t, `${gateway.origin}/ws`, { cookie, origin: gateway.origin })
  assert.ok(opened.kind === 'open')
  gateway.clock.move(100 * minutes)
  assert.equal(await opened.closed, 4401)
  assert.deepEqual(endsIn(gateway), [])
  assert.equal(await ask(), 401)
  assert.equal(endsIn(gateway).length, 1)
})

test('what was told is remembered within bounds', () => {
  const told: string[] = []
  const tell = tellOnce(({ id }) => void told.push(id), 4)
  const session = (id: string) => ({ id }) as Session
  for (const id of ['a', 'b', 'c', 'd', 'd', 'a', 'e', 'e', 'd', 'a']) tell(session(id), 'idle')
  assert.deepEqual(told, ['a', 'b', 'c', 'd', 'e', 'a'], 'the oldest are forgotten, the newest are not')
})
