import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import { createCookieSpec } from '../../src/session/cookie-spec.ts'
import { createSession, renewSession } from '../../src/session/lifetimes.ts'
import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { createLoginFlows } from '../../src/session/login-flow.ts'
import { openSessionState } from '../../src/session/open.ts'
import { openSealedSessions, type SealedCookie } from '../../src/session/sealed.ts'
import { createSignInMarkers } from '../../src/session/sign-in-marker.ts'
import { movableClock } from '../contracts/key-value.ts'
import { cacheBytes, longGroups, type OpenStore, sessionStoreContract } from '../contracts/session-store.ts'
import { CookieJar } from './cookie-jar.ts'
import { proofOf } from './people.ts'

const open: OpenStore = ({ state, ...parts }) => {
  const { revocations } = state
  const cache = openLiveSessions<SealedCookie>(cacheBytes, revocations)
  return openSealedSessions({ ...parts, revocations, cache, renewals: undefined })
}

sessionStoreContract('sealed', open)

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
const { session: name, second } = spec.names

async function openWorld() {
  const clock = movableClock()
  const state = await openSessionState({ clock, log: silentLog })
  const keys = createSealingKeys([new Secret('a secret of more than thirty-two letters')])
  const parts = { keys, spec, lifetimes, state, clock }
  const store = open(parts)
  const jarOf = async (wish: Parameters<typeof proofOf>[1]) => {
    const jar = new CookieJar(clock)
    jar.take(await store.create(createSession(proofOf('alice', wish), clock.now(), lifetimes)))
    return jar
  }
  return { ...parts, store, jarOf, fresh: () => open(parts) }
}

test('two cookies: missing, additional, stale, exchanged or moved parts are no session', async () => {
  const { jarOf, fresh } = await openWorld()
  const a = await jarOf({ groups: longGroups(20) })
  const b = await jarOf({ groups: longGroups(21) })
  const small = await jarOf({ idToken: '' })
  assert.ok(a.has(second) && b.has(second) && !small.has(second))
  const [a1, a2, b1, b2] = [a.get(name), a.get(second), b.get(name), b.get(second)]
  const lone = small.get(name)
  const store = fresh()
  const wrong: Record<string, string> = {
    'second missing': `${name}=${a1}`,
    'first missing': `${second}=${a2}`,
    'a second beside a session of one': `${name}=${lone}; ${second}=${a2}`,
    'an empty second': `${name}=${lone}; ${second}=`,
    'A.0 with B.1': `${name}=${a1}; ${second}=${b2}`,
    'B.0 with A.1': `${name}=${b1}; ${second}=${a2}`,
    renamed: `${name}=${a2}; ${second}=${a1}`,
    'second twice': `${name}=${a1}; ${second}=${a2}; ${second}=${a2}`,
    'both in one': `${name}=${a1}${a2}`,
    'joined as we do': `${name}=${a1};${a2}`,
    'a third': `${name}=${a1}; ${second}=${a2}${a2}`,
    'cut elsewhere': `${name}=${a1.slice(0, -4)}; ${second}=${a1.slice(-4)}${a2}`,
    'cut in two': `${name}=${lone.slice(0, 100)}; ${second}=${lone.slice(100)}`,
    'count 0': `${name}=${a1}; ${second}=0`,
    'count -1': `${name}=${a1}; ${second}=-1`,
    'a count of 1e9': `${name}=1000000000.${a1}; ${second}=${a2}`,
  }
  for (const round of ['first', 'after the good ones were opened']) {
    for (const [what, header] of Object.entries(wrong)) {
      assert.equal((await store.find(header)).kind, 'refused', `${what}, ${round}`)
    }
    for (const jar of [a, b, small]) assert.equal((await store.find(jar.header())).kind, 'live')
  }
  assert.equal((await store.find(`${second}=${a2}; ${name}=${a1}`)).kind, 'live', 'order in the header is free')
})

test('every size around the cut into two comes back whole', async () => {
  const { jarOf, fresh } = await openWorld()
  let single = 0
  for (let length = 560; length < 1_100; length++) {
    const jar = await jarOf({ refreshToken: 'r'.repeat(length), idToken: '' })
    if (!jar.has(second)) single++
    const found = await fresh().find(jar.header())
    assert.equal(found.kind === 'live' && found.live.session.tokens.refreshToken?.length, length)
  }
  assert.ok(single > 0 && single < 500, `${single} of them in one cookie`)
})

test('a session that shrinks takes its second cookie along; the stale one with the new first is nothing', async () => {
  const { store, jarOf, clock, fresh } = await openWorld()
  const jar = await jarOf({ groups: longGroups(20) })
  const stale = jar.get(second)
  const found = await store.find(jar.header())
  assert.ok(found.kind === 'live')
  const smaller = renewSession(found.live.session, proofOf('alice', { groups: [], idToken: '' }), clock.now() + 1)
  const kept = await store.replace(found.live, smaller)
  jar.take(kept!.setCookies)
  assert.ok(!jar.has(second))
  assert.equal((await fresh().find(jar.header())).kind, 'live')
  assert.equal((await fresh().find(`${jar.header()}; ${second}=${stale}`)).kind, 'refused')
})

test('the access token never enters the cookie, the ID token where it fits, the refresh token always', async () => {
  const { jarOf, fresh } = await openWorld()
  for (const [wish, idToken] of [
    [{}, true],
    [{ idToken: 'i'.repeat(3_000) }, false],
  ] as const) {
    const found = await fresh().find((await jarOf(wish)).header())
    assert.ok(found.kind === 'live')
    const { tokens } = found.live.session
    assert.equal(tokens.accessToken, undefined)
    assert.equal(tokens.idToken !== undefined, idToken)
    assert.ok(tokens.refreshToken !== undefined)
  }
})

test('too large: the login fails with the three largest parts, their bytes and what to do; no value is told', async () => {
  const { jarOf } = await openWorld()
  const claims = { department: 'secret-department '.repeat(40) }
  await assert.rejects(jarOf({ groups: longGroups(80), claims }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'session_too_large')
    assert.match(error.message, /groups \(\d+ bytes\), department \(\d+ bytes\), refresh token \(\d+ bytes\)/)
    assert.match(error.message, /groupsKept/)
    assert.match(error.message, /session\.store to memory/)
    assert.doesNotMatch(error.message, /secret-department|departments\/number/)
    return true
  })
})

test('all cookies of the largest callback answer stay within 3,500 bytes', async () => {
  const { store, clock, keys } = await openWorld()
  const { flow } = createLoginFlows({ keys, spec, clock }).begin(undefined, {
    returnTo: '/',
    provider: 'x',
    attempt: 1,
  })
  const rest = [
    ...createLoginFlows({ keys, spec, clock }).end(flow.state),
    ...createSignInMarkers({ keys, spec, clock }).write(1),
  ]
  let largest = 0
  for (let length = 600; length < 2_400; length += 7) {
    const proof = proofOf('alice', { refreshToken: 'r'.repeat(length) })
    const lines = await store.create(createSession(proof, clock.now(), lifetimes)).catch(() => [])
    largest = Math.max(largest, [...lines, ...rest].join('').length)
    for (const line of lines) assert.ok(line.split(';', 1)[0]!.length < 4_096)
  }
  assert.ok(largest > 3_300 && largest <= 3_500, `${largest} bytes`)
})

test('the browser copy is renewed after a quarter of the idle life, or when its key is old; never before', async () => {
  const { store, jarOf, clock, state } = await openWorld()
  const jar = await jarOf({})
  const renewalOf = async (opened = store) => {
    const found = await opened.find(jar.header())
    assert.ok(found.kind === 'live')
    return found.renewal
  }
  assert.equal(await renewalOf(), undefined)
  clock.advance(lifetimes.idle / 4 - 1)
  assert.equal(await renewalOf(), undefined)
  clock.advance(1)
  jar.take((await renewalOf())!())
  assert.equal(await renewalOf(), undefined)
  const rotated = createSealingKeys([
    new Secret('the next secret of more than 32 letters'),
    new Secret('a secret of more than thirty-two letters'),
  ])
  const next = open({ keys: rotated, spec, lifetimes, state, clock })
  jar.take((await renewalOf(next))!())
  assert.equal(await renewalOf(next), undefined)
})

test('another process that renewed: the newer cookie wins here too, and the older one stands for it', async () => {
  const { store, jarOf, clock, fresh } = await openWorld()
  const jar = await jarOf({})
  const old = jar.header()
  const here = await store.find(old)
  const elsewhere = fresh()
  const found = await elsewhere.find(old)
  assert.ok(found.kind === 'live' && here.kind === 'live')
  clock.advance(60_000)
  const next = renewSession(found.live.session, proofOf('alice', { refreshToken: 'second' }), clock.now())
  jar.take((await elsewhere.replace(found.live, next))!.setCookies)
  for (const header of [jar.header(), old]) {
    const again = await store.find(header)
    assert.ok(again.kind === 'live')
    assert.equal(again.live.session.tokens.refreshToken, 'second')
    assert.equal(again.renewal !== undefined, header === old)
  }
  const third = fresh()
  await third.find(jar.header())
  const behind = await third.find(old)
  assert.ok(behind.kind === 'live' && behind.renewal !== undefined)
  assert.equal(behind.live.session.tokens.refreshToken, 'second')
})

test('a text sealed with our key in a format we do not know is no session', async () => {
  const { store, keys } = await openWorld()
  const whole = JSON.stringify({ k: 'x', c: 0, e: 9e15, w: 0, v: 9e15, i: { p: 'd', i: 'i', s: 's' } })
  const payloads = [
    Buffer.of(),
    Buffer.of(1),
    Buffer.from(`\u0002${whole}`),
    Buffer.from('\u0001{}'),
    Buffer.from('\u0001[1]'),
  ]
  for (const bytes of [...payloads, Buffer.from('\u0001null'), Buffer.from(`\u0001${whole.slice(0, -1)}`)]) {
    const text = keys.seal('session', `${spec.binding} 1`, bytes)
    assert.equal((await store.find(`${name}=${text}`)).kind, 'refused', bytes.toString())
  }
})
