import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'
import { createCookieSpec } from '../../src/session/cookie-spec.ts'
import { createLoginFlows } from '../../src/session/login-flow.ts'
import { createSignInMarkers, isLoop, maxAttempts, nextAttempt } from '../../src/session/sign-in-marker.ts'
import { movableClock } from '../contracts/key-value.ts'
import { CookieJar } from './cookie-jar.ts'

const site = {
  issuer: 'https://idp.example.com',
  clientId: 'app',
  origin: 'https://app.example.com',
  domain: undefined,
  secure: true,
  override: undefined,
  sameSite: 'strict' as const,
}
const spec = createCookieSpec(site)
const secret = new Secret('a secret of more than thirty-two letters')
const request = { returnTo: 'https://app.example.com/deep?x=1', provider: 'default', attempt: 1 }

function openWorld() {
  const clock = movableClock()
  const keys = createSealingKeys([secret])
  const jar = new CookieJar(clock)
  const flows = createLoginFlows({ keys, spec, clock })
  const begin = (more: object = {}) => {
    const { flow, setCookies } = flows.begin(jar.header(), { ...request, ...more })
    jar.take(setCookies)
    clock.advance(1)
    return flow
  }
  return { clock, keys, jar, flows, begin, markers: createSignInMarkers({ keys, spec, clock }) }
}

test('a flow comes back to the browser that began it, with all it needs', () => {
  const { begin, flows, jar } = openWorld()
  const flow = begin({ acr: ['gold'], maxAge: 60 })
  assert.deepEqual(flows.read(jar.header(), flow.state), { kind: 'live', flow })
  assert.match(flow.state, /^[\w-]{40,64}$/)
  assert.match(flow.codeVerifier, /^[\w-]{43,128}$/)
  assert.match(flow.nonce, /^[\w-]{43}$/)
  assert.deepEqual(begin().acr, undefined)
})

test('flow cookies survive the cross-site way back and are readable by nobody', () => {
  const { flows } = openWorld()
  const { flow, setCookies } = flows.begin(undefined, request)
  assert.equal(setCookies.length, 1)
  assert.match(
    setCookies[0]!,
    /^__Host-Http-dw-[0-9a-f]{8}-login-[\w-]{8}=[\w-]+; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax$/,
  )
  const plain = Buffer.from(setCookies[0]!.split(/[=;]/)[1]!, 'base64url').toString('latin1')
  for (const text of [flow.nonce, flow.codeVerifier, 'deep']) assert.ok(!plain.includes(text))
})

test('parallel flows do not disturb each other; the state of one is nothing with the cookie of another', () => {
  const { begin, flows, jar, clock, keys } = openWorld()
  const [a, b] = [begin(), begin()]
  assert.equal(flows.read(jar.header(), a.state).kind, 'live')
  assert.equal(flows.read(jar.header(), b.state).kind, 'live')
  jar.take(flows.end(b.state))
  assert.equal(flows.read(jar.header(), b.state).kind, 'unknown')
  assert.equal(flows.read(jar.header(), a.state).kind, 'live')
  const other = new CookieJar(clock)
  const name = `${spec.names.loginPrefix}${b.state.slice(0, 8)}`
  other.take([`${name}=${jar.get(spec.names.loginPrefix + a.state.slice(0, 8))}; Max-Age=60`])
  assert.equal(flows.read(other.header(), b.state).kind, 'unknown', 'a cookie renamed')
  const collision = Buffer.from(JSON.stringify({ ...a, state: a.state.slice(0, 8) + b.state.slice(8) }))
  const aName = spec.names.loginPrefix + a.state.slice(0, 8)
  const sealed = keys.seal('login', `${spec.binding} ${aName}`, collision)
  assert.equal(flows.read(`${aName}=${sealed}`, a.state).kind, 'unknown', 'a state with the same beginning')
  assert.equal(flows.read(undefined, a.state).kind, 'unknown')
  assert.equal(flows.read('', a.state).kind, 'unknown')
  assert.equal(flows.read(`${jar.header()}; ${jar.header()}`, a.state).kind, 'unknown', 'twice')
})

test('after ten minutes a flow is expired and still known, after an hour it is gone', () => {
  const { begin, flows, jar, clock } = openWorld()
  const flow = begin()
  clock.advance(599_998)
  assert.equal(flows.read(jar.header(), flow.state).kind, 'live')
  clock.advance(1)
  const late = flows.read(jar.header(), flow.state)
  assert.equal(late.kind === 'expired' && late.flow.returnTo, request.returnTo)
  clock.advance(3_600_000)
  assert.equal(flows.read(jar.header(), flow.state).kind, 'unknown')
})

test('at most five flows; the oldest go, five hundred begun leave five', () => {
  const { begin, flows, jar } = openWorld()
  const begun = Array.from({ length: 500 }, () => begin())
  const live = begun.filter(({ state }) => flows.read(jar.header(), state).kind === 'live')
  assert.deepEqual(live, begun.slice(-5))
  assert.equal(jar.header().split('; ').length, 5)
})

test('long targets: one loses its query before its path, and together they stay below a header line', () => {
  const { begin, jar } = openWorld()
  const path = `https://app.example.com/${'p'.repeat(1_900)}`
  assert.equal(begin({ returnTo: `${path}?${'q'.repeat(500)}` }).returnTo, path)
  assert.equal(begin({ returnTo: `https://app.example.com/${'p'.repeat(9_000)}` }).returnTo, 'https://app.example.com/')
  for (let count = 0; count < 5; count++) begin({ returnTo: path })
  assert.ok(jar.header().length < 4_200, `${jar.header().length}`)
})

test('cookies that only look like flows are removed first, few per answer, and never break a header', () => {
  const { begin, flows, jar, clock } = openWorld()
  const flow = begin()
  const junk = Array.from({ length: 60 }, (_, number) => `${spec.names.loginPrefix}junk${number}=x`).join('; ')
  const odd = `${spec.names.loginPrefix}"a\u0001b=x; ${spec.names.loginPrefix}=x`
  for (const line of flows.begin(odd, request).setCookies) assert.match(line, /^[\w-]+=[\w-]*; Path=\/;/)
  const { setCookies } = flows.begin(`${jar.header()}; ${odd}; ${junk}`, request)
  assert.ok(setCookies.length > 5 && setCookies.length <= 11)
  for (const line of setCookies) assert.match(line, /^[\w-]+=[\w-]*; Path=\/;/)
  jar.take(setCookies)
  clock.advance(1)
  assert.equal(flows.read(jar.header(), flow.state).kind, 'live')
})

test('a state is ours, of this site, or nothing; foreign ones never reach a header', () => {
  const { begin, flows, jar, keys, clock } = openWorld()
  const flow = begin({ attempt: 3 })
  const issued = flows.readState(flow.state)
  assert.equal(issued?.attempt, 3)
  assert.ok(Math.abs(issued!.issuedAt - clock.now()) < 2_000)
  for (let at = 0; at < flow.state.length; at++) {
    const forged = flow.state.slice(0, at) + (flow.state[at] === 'A' ? 'B' : 'A') + flow.state.slice(at + 1)
    assert.equal(flows.readState(forged), undefined, `character ${at}`)
    assert.equal(flows.read(jar.header(), forged).kind, 'unknown')
  }
  const evil = [
    '',
    'x',
    'a\r\nSet-Cookie: b',
    '; Domain=example.com',
    `${flow.state}=`,
    flow.state.slice(0, 8),
    'A'.repeat(9_999),
  ]
  for (const state of evil) {
    assert.deepEqual(flows.end(state), [])
    assert.equal(flows.read(jar.header(), state).kind, 'unknown')
  }
  const elsewhere = createCookieSpec({ ...site, origin: 'https://b.example.com' })
  assert.equal(createLoginFlows({ keys, spec: elsewhere, clock }).readState(flow.state), undefined)
})

test('a flow outlives a rotation of the key', () => {
  const { begin, jar, clock } = openWorld()
  const flow = begin()
  const keys = createSealingKeys([new Secret('the next secret of more than 32 letters'), secret])
  assert.equal(createLoginFlows({ keys, spec, clock }).read(jar.header(), flow.state).kind, 'live')
})

test('the chain: a login that begins soon after a completed one counts up, and breaks after three', () => {
  const { markers, jar, clock } = openWorld()
  const attempts: number[] = []
  for (let round = 0; round < maxAttempts + 1; round++) {
    const attempt = nextAttempt(markers.read(jar.header()), clock.now())
    attempts.push(attempt)
    if (!isLoop(attempt)) jar.take(markers.write(attempt))
    clock.advance(20_000)
  }
  assert.deepEqual(attempts, [1, 2, 3, 4])
  assert.ok(isLoop(4) && !isLoop(3))
  assert.deepEqual(markers.read(jar.header()), {
    at: clock.now() - 40_000,
    attempt: 3,
    cookie: spec.names.session,
    origin: 'https://app.example.com',
  })
})

test('parallel tabs, a later visit and a logout are no chain', () => {
  const { markers, jar, clock } = openWorld()
  const tabs = Array.from({ length: 20 }, () => nextAttempt(markers.read(jar.header()), clock.now()))
  assert.ok(tabs.every((attempt) => attempt === 1))
  for (const attempt of tabs) jar.take(markers.write(attempt))
  clock.advance(60_001)
  assert.equal(nextAttempt(markers.read(jar.header()), clock.now()), 1)
  jar.take(markers.write(1))
  assert.equal(nextAttempt(markers.read(jar.header()), clock.now()), 2)
  jar.take(markers.clear())
  assert.equal(nextAttempt(markers.read(jar.header()), clock.now()), 1)
})

test('a marker that is forged, of another site or there twice is none', () => {
  const { markers, jar, keys, clock } = openWorld()
  const elsewhere = createSignInMarkers({
    keys,
    spec: createCookieSpec({ ...site, origin: 'https://b.example.com', override: spec.names.session }),
    clock,
  })
  jar.take(elsewhere.write(3))
  assert.equal(markers.read(jar.header()), undefined)
  jar.take(markers.write(3))
  assert.equal(markers.read(jar.header())?.attempt, 3)
  assert.equal(markers.read(`${jar.header()}; ${jar.header()}`), undefined)
  assert.equal(markers.read(`${spec.names.marker}=${keys.seal('session', spec.binding, Buffer.alloc(7))}`), undefined)
  assert.equal(markers.read(`${spec.names.marker}=${keys.seal('marker', spec.binding, Buffer.alloc(3))}`), undefined)
  for (const header of [undefined, '', `${spec.names.marker}=`, `${spec.names.marker}=x`])
    assert.equal(markers.read(header), undefined)
})
