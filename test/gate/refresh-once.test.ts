/** A refresh token is redeemed once by all processes over one store, whatever happens to whoever holds the lease. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../src/core/errors.ts'
import { silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import { createRenewal, type RenewalOutcome } from '../../src/gate/renewal.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import { createCookieSpec } from '../../src/session/cookie-spec.ts'
import { createSession } from '../../src/session/lifetimes.ts'
import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { refreshLeaseOf } from '../../src/session/refresh-lease.ts'
import { openRevocations } from '../../src/session/revocations.ts'
import { openStoredSessions } from '../../src/session/stored.ts'
import type { StoredCookie } from '../../src/session/stored-cookies.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'
import { openLeases } from '../../src/storage/lease.ts'
import { openMemoryKeyValue } from '../../src/storage/memory.ts'
import { logIn, openWorld } from '../oidc/journey.ts'
import { CookieJar } from '../session/cookie-jar.ts'

const leaseTime = 300
const lifetimes = { idle: 3_600_000, lifetime: 43_200_000 }
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

/** Two processes over one store, somebody signed in, and a provider that can be bent. */
async function openTwo(t: TestContext) {
  const world = await openWorld(t)
  const { provider, clock } = world
  const shared = openMemoryKeyValue({ clock: { now: Date.now }, log: silentLog, maxEntries: 1000 })
  const session = createSession(await logIn(world), clock.now(), lifetimes)
  const jar = new CookieJar(clock)
  const open = async () => {
    const kv: KeyValue = { ...shared }
    const revocations = await openRevocations({ kv, clock, log: silentLog, keys: () => keys, shared: true })
    const cache = openLiveSessions<StoredCookie>(1_000_000, revocations)
    const store = openStoredSessions({ kv, keys, spec, lifetimes, cache, revocations, clock, log: silentLog })
    const outcomes: RenewalOutcome[] = []
    const renewal = createRenewal({
      providers: new Map([['default', provider]]),
      leases: await openLeases(kv, silentLog, leaseTime),
      sealed: false,
      refreshEvery: undefined,
      clock,
      log: silentLog,
      onOutcome: (outcome) => outcomes.push(outcome),
    })
    const live = async () => {
      const found = await store.find(jar.header())
      assert.ok(found.kind === 'live', found.kind)
      return found.live
    }
    const renew = async () => renewal.renew(await live(), store)
    return { kv, store, live, renew, outcomes }
  }
  const [a, b] = [await open(), await open()]
  jar.take(await a.store.create(session))
  await b.live()
  world.rogue.calls.token = 0
  clock.time += 290_000
  return { ...world, shared, session, jar, a, b }
}

type Renewed = Awaited<ReturnType<Awaited<ReturnType<typeof openTwo>>['a']['renew']>>

function tokenOf(renewed: Renewed): string | undefined {
  assert.ok(renewed.kind === 'live')
  return renewed.live.session.tokens.refreshToken
}

const refuse = (response: ServerResponse, status: number, error: string) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))

test('two processes at one moment: one redeems, both have the new token, one counts it', async (t) => {
  const { rogue, session, a, b } = await openTwo(t)
  const [first, second] = await Promise.all([a.renew(), b.renew(), a.renew(), b.renew()])
  assert.equal(rogue.calls.token, 1)
  assert.notEqual(tokenOf(first), session.tokens.refreshToken)
  assert.equal(tokenOf(second), tokenOf(first))
  assert.deepEqual([...a.outcomes, ...b.outcomes], ['renewed'])
})

test('a provider slower than the lease is asked once', async (t) => {
  const { rogue, a, b } = await openTwo(t)
  rogue.script.idToken = (token) => sleep(3 * leaseTime, token)
  const [first, second] = await Promise.all([a.renew(), b.renew()])
  assert.equal(rogue.calls.token, 1)
  assert.equal(tokenOf(second), tokenOf(first))
})

test('a process that died with the lease is waited for, and then another one redeems', async (t) => {
  const { rogue, session, shared, a } = await openTwo(t)
  await shared.add(`lease ${refreshLeaseOf(session)}`, 'somebody who died', leaseTime)
  assert.notEqual(tokenOf(await a.renew()), session.tokens.refreshToken)
  assert.equal(rogue.calls.token, 1)
})

test('invalid_grant for a token that another process redeemed meanwhile ends nobody', async (t) => {
  const { rogue, session, shared, a, b } = await openTwo(t)
  const lease = `lease ${refreshLeaseOf(session)}`
  let asked = 0
  rogue.script.raw = {
    token(response) {
      if (asked++ > 0) return refuse(response, 500, 'server_error')
      // The lease is lost on the way, the other process takes it, redeems and saves.
      rogue.script.raw = {}
      void shared
        .delete(lease)
        .then(() => b.renew())
        .then(() => refuse(response, 400, 'invalid_grant'))
    },
  }
  const renewed = await a.renew()
  assert.notEqual(tokenOf(renewed), session.tokens.refreshToken)
  assert.equal(tokenOf(renewed), (await b.live()).session.tokens.refreshToken)
  assert.ok(await a.live())
  assert.deepEqual([...a.outcomes, ...b.outcomes], ['renewed'])
})

test('invalid_grant ends the session for both, and is asked for once', async (t) => {
  const { rogue, jar, a, b } = await openTwo(t)
  rogue.script.raw = { token: (response) => refuse(response, 400, 'invalid_grant') }
  const both = await Promise.all([a.renew(), b.renew()])
  assert.deepEqual(both, [{ kind: 'ended' }, { kind: 'ended' }])
  assert.equal(rogue.calls.token, 1)
  for (const { store } of [a, b]) assert.equal((await store.find(jar.header())).kind, 'refused')
})

test('a failure of the network is one call, and the session stays for both', async (t) => {
  const { rogue, session, a, b } = await openTwo(t)
  rogue.script.raw = { token: (response) => refuse(response, 503, 'temporarily_unavailable') }
  for (const renewed of await Promise.all([a.renew(), b.renew()])) {
    assert.equal(tokenOf(renewed), session.tokens.refreshToken)
  }
  assert.equal(rogue.calls.token, 1)
})

test('a store that is away for a moment loses no new token', async (t) => {
  const { rogue, a, b, session } = await openTwo(t)
  const { swap } = a.kv
  let failures = 0
  Object.assign(a.kv, {
    swap: async (...args: Parameters<KeyValue['swap']>) => {
      if (args[0].startsWith('session') && failures++ < 2) throw new GatewayError('store_unreachable')
      return swap(...args)
    },
  })
  const [first, second] = await Promise.all([a.renew(), b.renew()])
  assert.equal(failures, 3)
  assert.equal(rogue.calls.token, 1)
  assert.notEqual(tokenOf(first), session.tokens.refreshToken)
  assert.equal(tokenOf(second), tokenOf(first))
})

test('a logout while the provider is being asked leaves the session dead', async (t) => {
  const { rogue, jar, session, a, b } = await openTwo(t)
  rogue.script.idToken = async (token) => {
    await b.store.end(session)
    return token
  }
  assert.deepEqual(await a.renew(), { kind: 'ended' })
  for (const { store } of [a, b]) assert.equal((await store.find(jar.header())).kind, 'refused')
})
