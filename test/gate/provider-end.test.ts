/** The provider's word for a session ends: renewed in time where somebody is there, told as over where nobody was. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { GatewayError } from '../../src/core/errors.ts'
import { silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import { createRenewal } from '../../src/gate/renewal.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import { createCookieSpec } from '../../src/session/cookie-spec.ts'
import { createSession } from '../../src/session/lifetimes.ts'
import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { openRevocations } from '../../src/session/revocations.ts'
import { openSealedSessions, type SealedCookie } from '../../src/session/sealed.ts'
import { createSealedRenewals } from '../../src/session/sealed-renewals.ts'
import type { LiveSession, SessionStore } from '../../src/session/session.ts'
import { openStoredSessions } from '../../src/session/stored.ts'
import type { StoredCookie } from '../../src/session/stored-cookies.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'
import { openLeases } from '../../src/storage/lease.ts'
import { openMemoryKeyValue } from '../../src/storage/memory.ts'
import { logIn, openWorld } from '../oidc/journey.ts'
import { CookieJar } from '../session/cookie-jar.ts'
import { hours, minutes, seconds } from '../support/clock.ts'

const lifetimes = { idle: 3 * hours, lifetime: 12 * hours }
const keys = createSealingKeys([new Secret('a secret of more than thirty-two letters')])
const spec = createCookieSpec({
  issuer: 'https://idp.example.com',
  clientId: 'gateway',
  origin: 'https://app.example.com',
  domain: undefined,
  secure: true,
  override: undefined,
  sameSite: 'lax',
})

type Kind = 'stored' | 'sealed'

/** Two processes over one store, and somebody signed in: an access token of 60 minutes, a refresh token of 30. */
async function openTwo(t: TestContext, kind: Kind, body: object = { expires_in: 3600, refresh_expires_in: 1800 }) {
  const world = await openWorld(t)
  const { provider, clock, rogue } = world
  rogue.script.tokenBody = (honest) => ({ ...honest, ...body })
  rogue.now = () => Math.floor(clock.time / 1000)
  const shared = openMemoryKeyValue({ clock: { now: Date.now }, log: silentLog, maxEntries: 1000 })
  const session = createSession(await logIn(world), clock.now(), lifetimes)
  const jar = new CookieJar(clock)
  const open = async () => {
    const kv: KeyValue = { ...shared }
    const revocations = await openRevocations({ kv, clock, log: silentLog, keys: () => keys, shared: true })
    const parts = { keys, spec, lifetimes, revocations, clock, log: silentLog }
    const store: SessionStore =
      kind === 'stored'
        ? openStoredSessions({ ...parts, kv, cache: openLiveSessions<StoredCookie>(1_000_000, revocations) })
        : openSealedSessions({
            ...parts,
            cache: openLiveSessions<SealedCookie>(1_000_000, revocations),
            renewals: createSealedRenewals({ kv, keys, lifetimes, binding: spec.binding }),
          })
    const told: string[] = []
    const renewal = createRenewal({
      providers: new Map([['default', provider]]),
      leases: await openLeases(kv, silentLog),
      sealed: kind === 'sealed',
      refreshEvery: undefined,
      clock,
      log: silentLog,
      onOutcome: (outcome, _session, detail) => told.push(`${outcome} ${detail}`.trim()),
    })
    const live = async (): Promise<LiveSession> => {
      const found = await store.find(jar.header())
      assert.ok(found.kind === 'live', found.kind)
      return found.live
    }
    return { store, renewal, live, told, kv }
  }
  const [a, b] = [await open(), await open()]
  jar.take(await a.store.create(session))
  await b.live()
  rogue.calls.token = 0
  return { ...world, session, jar, a, b }
}

for (const kind of ['stored', 'sealed'] as const) {
  describe(`a refresh token that ends before the access token, ${kind}`, () => {
    test('is used in time by whoever is there', async (t) => {
      const { a, clock, rogue, session } = await openTwo(t, kind)
      const live = await a.live()
      const dueAfter = (time: number) => {
        clock.time = session.renewedAt + time
        return a.renewal.due(live, true)
      }
      assert.equal(dueAfter(20 * minutes), 'no')
      assert.equal(dueAfter(25 * minutes), kind === 'stored' ? 'background' : 'wait')
      assert.equal(dueAfter(30 * minutes - 5 * seconds), 'wait')
      const renewed = await a.renewal.renew(live, a.store)
      assert.ok(renewed.kind === 'live' && renewed.fresh)
      assert.equal(renewed.live.session.tokens.providerEndsAt, clock.time + 30 * minutes)
      assert.equal(rogue.calls.token, 1)
    })

    test('is not asked about once it has run out: the session is over, and says why', async (t) => {
      const { a, b, clock, rogue, jar } = await openTwo(t, kind)
      const live = await a.live()
      clock.time += 30 * minutes
      for (const canSetCookie of [true, false]) assert.equal(a.renewal.due(live, canSetCookie), 'wait')
      assert.deepEqual(await a.renewal.renew(live, a.store), { kind: 'ended' })
      assert.equal(rogue.calls.token, 0)
      assert.match(a.told.join(), /^ended the refresh token ran out at .*Z, unused .*the provider was not asked$/)
      for (const { store } of [a, b]) assert.equal((await store.find(jar.header())).kind, 'refused')
    })

    test('is not stretched by a store that is away', async (t) => {
      const { a, clock, jar } = await openTwo(t, kind)
      const live = await a.live()
      clock.time += 31 * minutes
      const { add } = a.kv
      a.kv.add = () => Promise.reject(new GatewayError('store_unreachable', 'away'))
      await assert.rejects(a.renewal.renew(live, a.store), { code: 'provider_unreachable' })
      a.kv.add = add
      assert.deepEqual(await a.renewal.renew(live, a.store), { kind: 'ended' })
      assert.equal((await a.store.find(jar.header())).kind, 'refused')
    })

    test('ends nobody whose session another replica renewed in time', async (t) => {
      const { a, b, clock, rogue } = await openTwo(t, kind)
      const old = await a.live()
      clock.time += 25 * minutes
      await b.renewal.renew(await b.live(), b.store)
      clock.time += 10 * minutes
      assert.equal(a.renewal.due(old, true), 'wait')
      const renewed = await a.renewal.renew(old, a.store)
      assert.ok(renewed.kind === 'live')
      assert.equal(rogue.calls.token, 1)
      assert.deepEqual(a.told, [])
      assert.equal(a.renewal.due(await a.live(), true), 'no')
    })

    test('ends a session that was signed out elsewhere meanwhile no less', async (t) => {
      const { a, b, clock, session, jar } = await openTwo(t, kind)
      const old = await a.live()
      await b.store.end(session)
      clock.time += 31 * minutes
      assert.deepEqual(await a.renewal.renew(old, a.store), { kind: 'ended' })
      assert.equal((await a.store.find(jar.header())).kind, 'refused')
    })

    test('a sign-out while it is being used leaves the session dead', async (t) => {
      const { a, b, clock, session, jar, rogue } = await openTwo(t, kind)
      const old = await a.live()
      clock.time += 29 * minutes
      rogue.script.idToken = async (token) => {
        await b.store.end(session)
        return token
      }
      assert.deepEqual(await a.renewal.renew(old, a.store), { kind: 'ended' })
      clock.time += 5 * minutes
      for (const { store } of [a, b]) assert.equal((await store.find(jar.header())).kind, 'refused')
    })
  })
}

test('a token without an end (offline, 0) and words that say nothing leave our own limits alone', async (t) => {
  for (const refresh_expires_in of [0, undefined]) {
    const { a, clock, session } = await openTwo(t, 'stored', { expires_in: 3600, refresh_expires_in })
    assert.equal(session.tokens.providerEndsAt, undefined)
    clock.time += 2 * hours
    const renewed = await a.renewal.renew(await a.live(), a.store)
    assert.ok(renewed.kind === 'live' && renewed.fresh)
  }
})

test('without a refresh token the session ends with the tokens, and is asked about by nobody', async (t) => {
  const { a, clock, rogue, session } = await openTwo(t, 'stored', { expires_in: 600, refresh_token: undefined })
  const live = await a.live()
  clock.time = session.renewedAt + 599 * seconds
  assert.equal(a.renewal.due(live, true), 'no')
  clock.time += 1 * seconds
  assert.equal(a.renewal.due(live, true), 'wait')
  assert.deepEqual(await a.renewal.renew(live, a.store), { kind: 'ended' })
  assert.equal(rogue.calls.token, 0)
})

test('as the longest session at the provider comes to its end, refreshes stay few', async (t) => {
  const { a, clock, rogue, session } = await openTwo(t, 'stored')
  const end = session.createdAt + 2 * hours
  rogue.script.tokenBody = (body) => {
    const left = Math.max(1, Math.floor((end - clock.time) / 1000))
    return { ...body, expires_in: Math.min(300, left), refresh_expires_in: Math.min(1800, left) }
  }
  clock.time += 20 * minutes
  await a.renewal.renew(await a.live(), a.store)
  const before = rogue.calls.token
  for (; clock.time < end; clock.time += 1 * seconds) {
    const live = await a.live()
    if (a.renewal.due(live, true) === 'no') continue
    const renewed = await a.renewal.renew(live, a.store)
    if (renewed.kind === 'ended') break
  }
  const calls = rogue.calls.token - before
  assert.ok(calls < (100 * 60) / 200 + 15, `${calls} refreshes in 100 minutes of access tokens of five`)
})
