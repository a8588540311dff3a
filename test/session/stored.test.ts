import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/errors.ts'
import { type Log, silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import { createCookieSpec } from '../../src/session/cookie-spec.ts'
import { handleOf } from '../../src/session/handle.ts'
import { createSession, renewSession } from '../../src/session/lifetimes.ts'
import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { openRevocations } from '../../src/session/revocations.ts'
import { openStoredSessions } from '../../src/session/stored.ts'
import type { StoredCookie } from '../../src/session/stored-cookies.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'
import { openMemoryKeyValue } from '../../src/storage/memory.ts'
import { movableClock } from '../contracts/key-value.ts'
import { cacheBytes, type OpenStore, sessionStoreContract } from '../contracts/session-store.ts'
import { proofOf } from './people.ts'

const open: OpenStore = ({ state, ...parts }) => {
  const { kv, revocations } = state
  const cache = openLiveSessions<StoredCookie>(cacheBytes, revocations)
  return openStoredSessions({ ...parts, kv, revocations, cache, log: silentLog })
}

sessionStoreContract('stored in memory', open)

const lifetimes = { idle: 3_600_000, lifetime: 43_200_000 }
const spec = createCookieSpec({
  issuer: 'https://idp.example.com',
  clientId: 'app',
  origin: 'https://app.example.com',
  domain: undefined,
  secure: true,
  override: undefined,
  sameSite: 'lax',
})

/** A KeyValue that writes down what is asked of it, and breaks on demand. */
function watched(kv: KeyValue) {
  const contents = new Map<string, string>()
  const calls: string[] = []
  const fault = { on: false }
  const slow = { until: Promise.resolve(), writes: Promise.resolve() }
  const call = (what: string, key: string): void => {
    calls.push(`${what} ${key.split(' ', 1)[0]}`)
    if (fault.on) throw new GatewayError('store_unreachable', 'down')
  }
  const seen: KeyValue = {
    ...kv,
    async get(key) {
      call('get', key)
      const { until } = slow
      const value = await kv.get(key)
      await until
      return value
    },
    async set(key, value, ttl) {
      call('set', key)
      contents.set(key, value)
      await slow.writes
      return kv.set(key, value, ttl)
    },
    async extend(key, ttl) {
      call('extend', key)
      return kv.extend(key, ttl)
    },
  }
  return { kv: seen, contents, calls, fault, slow }
}

async function openWorld() {
  const clock = movableClock()
  const errors: object[] = []
  const log: Log = { ...silentLog, error: (fields) => errors.push(fields) }
  const store = watched(openMemoryKeyValue({ clock, log, maxEntries: 1_000 }))
  const keys = createSealingKeys([new Secret('a secret of more than thirty-two letters')])
  const revocations = await openRevocations({ kv: store.kv, clock, log, keys: () => keys })
  const newCache = () => openLiveSessions<StoredCookie>(1_000_000, revocations)
  const cache = newCache()
  const openStore = (cache = newCache()) => {
    return openStoredSessions({ kv: store.kv, keys, spec, lifetimes, cache, revocations, clock, log })
  }
  const sessions = openStore(cache)
  const login = async (name: string) => {
    const session = createSession(proofOf(name), clock.now(), lifetimes)
    return { session, header: (await sessions.create(session))[0]!.split(';', 1)[0]! }
  }
  return { ...store, clock, errors, cache, sessions, openStore, login }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what the store holds tells nothing: no token, no name, no id, nothing of the cookie', async () => {
  const { contents, login } = await openWorld()
  const { session, header } = await login('alice')
  const [reference, key] = header.slice(header.indexOf('=') + 1).split('.')
  const stored = [...contents].flat().flatMap((text) => [text, Buffer.from(text, 'base64').toString('latin1')])
  for (const secret of [reference!, key!, session.id, 'alice', 'refresh-', session.identity.subject, '/staff']) {
    for (const text of stored) assert.ok(!text.includes(secret), secret.slice(0, 12))
  }
})

test('a record or its metadata copied to another session does not open there', async () => {
  const { contents, kv, login, openStore } = await openWorld()
  const { header: alice } = await login('alice')
  const aliceKeys = [...contents.keys()]
  const { header: bob } = await login('bob')
  const bobKeys = [...contents.keys()].filter((key) => !aliceKeys.includes(key))
  const pairs = aliceKeys.map((from) => [from, bobKeys.find((to) => to.split(' ')[0] === from.split(' ')[0])!] as const)
  assert.equal(pairs.length, 2)
  for (const [from, to] of pairs) {
    const own = contents.get(to)!
    await kv.set(to, contents.get(from)!, 1_000)
    const found = await openStore().find(bob)
    assert.equal(found.kind === 'refused' && found.reason, 'invalid', from.split(' ')[0])
    await kv.set(to, own, 1_000)
    assert.equal((await openStore().find(bob)).kind, 'live')
  }
  const name = `${spec.names.session}=`
  const [aliceReference] = alice.slice(name.length).split('.')
  const [, bobKey] = bob.slice(name.length).split('.')
  const swapped = await openStore().find(`${name}${aliceReference}.${bobKey}`)
  assert.equal(swapped.kind === 'refused' && swapped.reason, 'invalid')
})

test('values of another version or type in the store are no session, and no exception', async () => {
  const { contents, kv, login, openStore } = await openWorld()
  const { header } = await login('alice')
  for (const key of [...contents.keys()]) {
    const own = contents.get(key)!
    for (const odd of ['', '{}', 'null', 'AAAA', 'A'.repeat(50_000), `${own}x`]) {
      await kv.set(key, odd, 1_000)
      assert.equal((await openStore().find(header)).kind, 'refused')
    }
    await kv.set(key, own, 1_000)
  }
  assert.equal((await openStore().find(header)).kind, 'live')
})

test('a store that is down is 503, never "no session"; what is open goes on', async () => {
  const { fault, login, sessions, openStore, clock, errors } = await openWorld()
  const { session, header } = await login('alice')
  fault.on = true
  await assert.rejects(async () => openStore().find(header), { code: 'store_unreachable', status: 503 })
  clock.advance(lifetimes.idle / 2)
  assert.equal((await sessions.find(header)).kind, 'live')
  await settled()
  assert.equal(errors.length, 1)
  await assert.rejects(sessions.create({ ...session, id: 'x' }), { code: 'store_unreachable' })
  await assert.rejects(sessions.end(session), { code: 'store_unreachable' })
  // The mark holds here although nobody else could be told.
  fault.on = false
  const found = await sessions.find(header)
  assert.equal(found.kind === 'refused' && found.reason, 'ended')
})

test('requests that arrive together read the record once and share one session', async () => {
  const { calls, login, openStore } = await openWorld()
  const { header } = await login('alice')
  const sessions = openStore()
  calls.length = 0
  const found = await Promise.all(Array.from({ length: 20 }, () => sessions.find(header)))
  assert.deepEqual(calls, ['get session', 'get session-metadata'])
  assert.equal(new Set(found.map((one) => one.kind === 'live' && one.live)).size, 1)
})

test('the idle life is written once per tenth of it, one write at a time', async () => {
  const { calls, login, sessions, clock } = await openWorld()
  const { header } = await login('alice')
  calls.length = 0
  for (let second = 0; second < 3_600; second += 10) {
    clock.advance(10_000)
    assert.ok(!(sessions.find(header) instanceof Promise))
    sessions.find(header)
    await settled()
  }
  const touches = calls.filter((call) => call === 'extend session').length
  assert.equal(touches, 10)
})

test('a record that is gone takes the cached session along at the next touch', async () => {
  const { kv, contents, login, sessions, clock } = await openWorld()
  const { header } = await login('alice')
  for (const key of contents.keys()) await kv.delete(key)
  clock.advance(lifetimes.idle / 2)
  await sessions.find(header)
  await settled()
  const found = await sessions.find(header)
  assert.equal(found.kind === 'refused' && found.reason, 'expired')
})

test('a renewal that ends while the older record is being read is not undone by it', async () => {
  const { login, sessions, cache, clock, slow } = await openWorld()
  const { session, header } = await login('alice')
  const found = await sessions.find(header)
  assert.ok(found.kind === 'live')
  cache.deleteSession(handleOf(session.id))
  const { promise, resolve } = Promise.withResolvers<void>()
  slow.until = promise
  const reading = sessions.find(header)
  slow.until = Promise.resolve()
  const next = renewSession(found.live.session, proofOf('alice', { refreshToken: 'second' }), clock.now() + 1)
  await sessions.replace(found.live, next)
  resolve()
  for (const late of [await reading, await sessions.find(header)]) {
    assert.equal(late.kind === 'live' && late.live.session.tokens.refreshToken, 'second')
  }
})

test('a session ended elsewhere is not brought back by a renewal here, told of it or not', async () => {
  const { login, sessions, kv, contents } = await openWorld()
  const { session, header } = await login('alice')
  const found = await sessions.find(header)
  assert.ok(found.kind === 'live')
  for (const key of contents.keys()) await kv.delete(key)
  assert.equal(await sessions.replace(found.live, { ...session, renewedAt: session.renewedAt + 1 }), undefined)
  for (const key of contents.keys()) assert.equal(await kv.get(key), undefined)
})

test('the end of a session takes its record along, also one that a renewal was writing', async () => {
  const { login, sessions, kv, contents, slow } = await openWorld()
  const recordOf = async (handle: string) => [
    await kv.get(`session ${handle}`),
    await kv.get(`session-metadata ${handle}`),
  ]
  const first = await login('alice')
  await sessions.end(first.session)
  assert.deepEqual(await recordOf(handleOf(first.session.id)), [undefined, undefined])

  const { session, header } = await login('alice')
  const found = await sessions.find(header)
  assert.ok(found.kind === 'live' && contents.size > 2)
  const { promise, resolve } = Promise.withResolvers<void>()
  slow.writes = promise
  const renewing = sessions.replace(found.live, { ...session, renewedAt: session.renewedAt + 1 })
  await settled()
  slow.writes = Promise.resolve()
  await sessions.end(session)
  resolve()
  assert.equal(await renewing, undefined)
  assert.deepEqual(await recordOf(handleOf(session.id)), [undefined, undefined])
})

test('a renewal of another id, or of a session not found here, is a mistake of the caller', async () => {
  const { login, sessions } = await openWorld()
  const { session, header } = await login('alice')
  const found = await sessions.find(header)
  assert.ok(found.kind === 'live')
  await assert.rejects(sessions.replace(found.live, { ...session, id: 'other' }), /not found here/)
  await assert.rejects(sessions.replace({ ...found.live }, session), /not found here/)
})
