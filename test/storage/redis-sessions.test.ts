/** The contract of session stores, kept in a real Redis. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import { createCookieSpec } from '../../src/session/cookie-spec.ts'
import { createSession, renewSession } from '../../src/session/lifetimes.ts'
import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { openSessionState } from '../../src/session/open.ts'
import { openRevocations } from '../../src/session/revocations.ts'
import { openSealedSessions, type SealedCookie } from '../../src/session/sealed.ts'
import { createSealedRenewals } from '../../src/session/sealed-renewals.ts'
import type { LiveSession } from '../../src/session/session.ts'
import { openStoredSessions } from '../../src/session/stored.ts'
import type { StoredCookie } from '../../src/session/stored-cookies.ts'
import { movableClock } from '../contracts/key-value.ts'
import { cacheBytes, type OpenState, type OpenStore, sessionStoreContract } from '../contracts/session-store.ts'
import { CookieJar } from '../session/cookie-jar.ts'
import { proofOf } from '../session/people.ts'
import { until } from '../support/gateway.ts'
import { agingClock, type RedisServer, startRedis } from '../support/redis.ts'

const lifetimes = { idle: 3_600_000, lifetime: 43_200_000 }
const secrets = [new Secret('a secret of more than thirty-two letters')]
const keys = createSealingKeys(secrets)
const spec = createCookieSpec({
  issuer: 'https://idp.example.com',
  clientId: 'app',
  origin: 'https://app.example.com',
  domain: undefined,
  secure: true,
  override: undefined,
  sameSite: 'lax',
})

const stored: OpenStore = ({ state, ...parts }) => {
  const cache = openLiveSessions<StoredCookie>(cacheBytes, state.revocations)
  return openStoredSessions({ ...parts, kv: state.kv, revocations: state.revocations, cache, log: silentLog })
}

const sealed: OpenStore = ({ state, ...parts }) => {
  const cache = openLiveSessions<SealedCookie>(cacheBytes, state.revocations)
  const renewals = createSealedRenewals({ ...parts, kv: state.kv, binding: parts.spec.binding })
  return openSealedSessions({ ...parts, revocations: state.revocations, cache, renewals })
}

test('sessions in a real Redis', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const openState =
    (store: 'redis' | 'cookie'): OpenState =>
    async () => {
      const options = redis.options()
      const clock = agingClock(redis, options.prefix)
      const config = { session: { store, secrets }, redis: options }
      return { clock, state: await openSessionState({ clock, log: silentLog, config }) }
    }
  await sessionStoreContract('stored in redis', stored, openState('redis'), t)
  await sessionStoreContract('sealed, with redis', sealed, openState('cookie'), t)
  for (const [name, open] of [
    ['stored', stored],
    ['sealed', sealed],
  ] as const)
    await betweenProcesses(t, redis, name, open)
})

/** Two processes with caches of their own over one Redis, and a browser both have seen. */
async function openTwo(t: TestContext, redis: RedisServer, open: OpenStore) {
  const options = redis.options()
  const clock = movableClock()
  const config = { session: { store: 'redis' as const, secrets }, redis: options }
  const openOne = async () => {
    const state = await openSessionState({ clock, log: silentLog, config })
    t.after(() => state.close())
    return { state, store: open({ keys, spec, lifetimes, state, clock }) }
  }
  const [a, b] = [await openOne(), await openOne()]
  const session = createSession(proofOf('alice'), clock.now(), lifetimes)
  const jar = new CookieJar(clock)
  jar.take(await a.store.create(session))
  const liveAt = async ({ store }: typeof a) => {
    const found = await store.find(jar.header())
    assert.ok(found.kind === 'live', found.kind)
    return found.live
  }
  const renewalOf = (live: LiveSession, refreshToken: string) =>
    renewSession(live.session, proofOf('alice', { refreshToken }), clock.now())
  return { a, b, clock, jar, session, options, liveAt, renewalOf }
}

async function betweenProcesses(t: TestContext, redis: RedisServer, name: string, open: OpenStore): Promise<void> {
  await t.test(`${name}: of two renewals from one copy the first stays, and the late one gets it`, async (t) => {
    const { a, b, liveAt, renewalOf } = await openTwo(t, redis, open)
    const [atA, atB] = [await liveAt(a), await liveAt(b)]
    const first = await a.store.replace(atA, renewalOf(atA, 'first'))
    const late = await b.store.replace(atB, renewalOf(atB, 'late'))
    assert.equal(first?.live.session.tokens.refreshToken, 'first')
    assert.equal(late?.live.session.tokens.refreshToken, 'first')
    assert.equal((await a.store.reload(atA))?.live.session.tokens.refreshToken, 'first')
    assert.equal((await b.store.reload(atB))?.live.session.tokens.refreshToken, 'first')
  })

  await t.test(`${name}: a renewal elsewhere is found by whoever asks before renewing`, async (t) => {
    const { a, b, liveAt, renewalOf } = await openTwo(t, redis, open)
    const [atA, atB] = [await liveAt(a), await liveAt(b)]
    assert.equal((await b.store.reload(atB))?.live.session.tokens.refreshToken, atB.session.tokens.refreshToken)
    await a.store.replace(atA, renewalOf(atA, 'second'))
    assert.equal((await b.store.reload(atB))?.live.session.tokens.refreshToken, 'second')
    const again = await liveAt(b)
    await b.store.reload(again)
    await b.store.replace(again, renewalOf(again, 'third'))
    assert.equal((await a.store.reload(await liveAt(a)))?.live.session.tokens.refreshToken, 'third')
  })

  await t.test(`${name}: a session ended elsewhere is not brought back by a renewal on its way`, async (t) => {
    const { a, b, session, jar, liveAt, renewalOf } = await openTwo(t, redis, open)
    const atA = await liveAt(a)
    await b.store.end(session)
    assert.equal(await a.store.replace(atA, renewalOf(atA, 'late')), undefined)
    for (const { store } of [a, b]) assert.equal((await store.find(jar.header())).kind, 'refused')
  })

  await t.test(`${name}: what was ended while nothing could be heard is ended`, async (t) => {
    const { a, b, clock, jar, session, liveAt } = await openTwo(t, redis, open)
    assert.equal(await liveAt(a), await liveAt(a), 'kept in the cache')
    const { kv } = b.state
    const silent = await openRevocations({
      kv: { ...kv, publish: async () => {} },
      clock,
      log: silentLog,
      keys: () => keys,
      shared: true,
    })
    await silent.endSubject(session.identity.issuer, session.identity.subject, lifetimes.lifetime)
    assert.ok(await liveAt(a), 'nobody told')
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await until(async () => (await a.store.find(jar.header())).kind === 'refused', 'asks the store again')
  })

  await t.test(`${name}: while nothing can be heard nothing is kept, and afterwards it is again`, async (t) => {
    const { a, liveAt, jar } = await openTwo(t, redis, open)
    await liveAt(a)
    assert.ok(a.store.cacheStatistics().entries > 0)
    await redis.command('ACL', 'SETUSER', 'default', 'resetchannels')
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    try {
      await until(() => a.store.cacheStatistics().entries === 0, 'the cache is empty')
      for (let round = 0; round < 3; round++) await liveAt(a)
      assert.equal(a.store.cacheStatistics().entries, 0)
    } finally {
      await redis.command('ACL', 'SETUSER', 'default', 'allchannels')
    }
    await until(() => a.state.kv.state().ready, 'heard again', 5000)
    await liveAt(a)
    assert.ok(!(a.store.find(jar.header()) instanceof Promise))
  })
}
