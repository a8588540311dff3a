/** The corpus over gRPC: what the application would see after Envoy has done what it was told. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { foldHeaderName } from '../../src/core/header-name.ts'
import { staysPublic } from '../attacks/readings.ts'
import type { HeaderLine } from '../attacks/wire.ts'
import { navigation, openWorld, origin, type World } from '../attacks/world.ts'
import type { ClientRequest } from '../contracts/gateway-wires.ts'
import { type CorpusHeader, corpus } from '../support/corpus.ts'
import { type Asking, type Outcome, openAsking } from './asking.ts'

const routes = `
  - { path: /public/*, allow: public }
  - { path: /health, allow: public }
  - { path: /optional/*, allow: optional }
  - { path: /api/*, allow: signedIn, accept: [session, bearer] }
  - { path: /other/*, allow: signedIn, headers: { X-Tenant-Id: "{claim:azp}", X-Custom-Who: "{sub}" } }
  - { path: /office/*, allow: { networks: [203.0.113.0/24] } }
  - { allow: signedIn }
`

let world: World
let gateway: Asking
let session: string
let token: string
before(async () => {
  world = await openWorld({ routes, more: 'extAuthz: 127.0.0.1:0\nbearer: [{ issuer: "{issuer}", audience: api }]' })
  session = await world.signIn()
  token = await world.rogue.accessToken()
  gateway = openAsking(Number(world.server.addresses.extAuthz?.port))
})
after(async () => {
  gateway.close()
  await world.close()
})

const linesOf = (attack: CorpusHeader): HeaderLine[] => [
  [attack.name, attack.value.replace('VALID', token)],
  ...(attack.also ?? []).flatMap(linesOf),
]
const nameOf = (attack: CorpusHeader) => JSON.stringify(linesOf(attack)).slice(0, 100)

const scenes: Record<string, () => { request: ClientRequest; user: string | undefined }> = {
  'public, anonymous': () => ({ request: { uri: '/public/x' }, user: undefined }),
  'public, signed in': () => ({ request: { uri: '/public/x', cookies: [session] }, user: undefined }),
  'optional, anonymous': () => ({ request: { uri: '/optional/x' }, user: undefined }),
  'signed in': () => ({ request: { uri: '/app/x', cookies: [session] }, user: 'alice' }),
  'by token': () => ({
    request: { uri: '/api/x', headers: [['Authorization', `Bearer ${token}`]] },
    user: 'alice',
  }),
  websocket: () => ({
    request: {
      uri: '/app/x',
      cookies: [session],
      headers: [
        ['Origin', origin],
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ],
    },
    user: 'alice',
  }),
}

/** Names without a meaning for gateways, and those that are Envoy's own affair: it writes, checks or consumes them. */
const passing =
  /^(?:user-agent|x-health-check|x-request-id|cookie|sec-websocket-protocol|host|content-length|connection|upgrade|transfer-encoding|te|trailer|keep-alive|expect|http2-settings|x-forwarded-(?:for|proto|client-cert)|x-envoy-.*|:.*)$/

/** These stay where they say what is so. */
const right: Readonly<Record<string, string>> = { 'x-forwarded-host': 'app.example.com', 'x-forwarded-port': '443' }

function judge({ upstream = [] }: Outcome, attack: CorpusHeader, user: string | undefined): void {
  const said = (name: string) => upstream.filter(([own]) => foldHeaderName(own) === name).map(([, value]) => value)
  const what = `${nameOf(attack)} -> ${JSON.stringify(upstream)}`
  assert.deepEqual(said('x-auth-user'), user === undefined ? [] : [user], what)
  assert.deepEqual(said('x-auth-subject'), user === undefined ? [] : ['alice-id'], what)
  assert.deepEqual(said('x-auth-groups'), user === undefined ? [] : ['/staff'], what)
  assert.deepEqual(said('authorization'), [], what)
  for (const [name] of linesOf(attack)) {
    const folded = foldHeaderName(name.trim()).replace(/^http-/, '')
    const isOdd = name.toLowerCase() !== folded
    if (passing.test(folded) && !isOdd) continue
    if (/^x-auth-/.test(folded)) continue
    const left = upstream.filter(([own]) => foldHeaderName(own).replace(/^http-/, '') === folded && own !== folded)
    assert.deepEqual(left, [], what)
    if (!passing.test(folded))
      assert.deepEqual(
        said(folded).filter((value) => value !== right[folded]),
        [],
        what,
      )
  }
  assert.doesNotMatch(JSON.stringify(upstream), /__Host-Http-dw-|base64url\.bearer/, what)
}

for (const isRaw of [false, true]) {
  describe(`headerSmuggling, headers ${isRaw ? 'raw' : 'in a map'}`, () => {
    for (const [name, open] of Object.entries(scenes)) {
      test(name, async () => {
        const { request, user } = open()
        let reached = 0
        for (const attack of corpus.headerSmuggling) {
          const headers = [...(request.headers ?? []), ...linesOf(attack)]
          const outcome = await gateway.ask({ ...request, headers }, (http) => ({ ...http, isRaw }))
          assert.ok(outcome.status < 500, nameOf(attack))
          if (outcome.upstream === undefined) continue
          reached++
          judge(outcome, attack, user)
        }
        assert.ok(reached > 80, `${reached} of ${corpus.headerSmuggling.length} would reach the application`)
        assert.deepEqual(world.errors(), [])
      })
    }
  })
}

test('pathBypass: a path that two readers could read differently is never let through anonymously', async () => {
  let passed = 0
  for (const uri of corpus.pathBypass) {
    const { status } = await gateway.ask({ uri })
    if (status === 200) {
      passed++
      assert.ok(staysPublic(uri), `${JSON.stringify(uri)} was let through`)
    } else assert.ok([401, 403].includes(status), `${JSON.stringify(uri)}: ${status}`)
    const page = await gateway.ask({ uri, headers: navigation })
    assert.ok([200, 302, 403].includes(page.status), `${JSON.stringify(uri)}: ${page.status}`)
  }
  assert.ok(passed > 0, 'some of the list is harmless, and passes')
  assert.deepEqual(world.errors(), [])
})

test('forwardedHost: another host is no, and is never where people are sent', async () => {
  for (const host of corpus.forwardedHost) {
    const outcome = await gateway.ask({ host, uri: '/x', headers: navigation })
    assert.notEqual(outcome.status, 200, host)
    const location = outcome.header('location')
    if (location !== undefined) assert.equal(new URL(location).origin, origin, host)
    const claimed = await gateway.ask({
      uri: '/x',
      headers: [...navigation, ['X-Forwarded-Host', host]],
      cookies: [session],
    })
    if (claimed.upstream === undefined) continue
    for (const [name, value] of claimed.upstream) {
      if (/host|authority/.test(name)) assert.equal(value.toLowerCase(), 'app.example.com', `${host} in ${name}`)
    }
  }
  assert.deepEqual(world.errors(), [])
})

test('whatever address was asked for, the way to the sign-in stays on our own', async () => {
  const targets = [
    ...corpus.openRedirect,
    ...corpus.openRedirectAllowed,
    ...corpus.openRedirectSelf,
    ...corpus.forwardedHost,
  ]
  let led = 0
  for (const uri of targets) {
    const location = (await gateway.ask({ uri, headers: navigation })).header('location')
    if (location === undefined) continue
    led++
    assert.equal(new URL(location).origin, origin)
    assert.equal(new URL(new URL(location).searchParams.get('rd')!).origin, origin, uri)
  }
  assert.ok(led > 10, 'plain paths do lead to the sign-in')
})

test('methods: any token is asked about as it is, TRACE and CONNECT never pass', async () => {
  const ask = async (method: string, uri: string) =>
    (await gateway.ask({ method, uri, cookies: [session], headers: [['Origin', origin]] })).status
  for (const method of ['GET', 'HEAD', 'POST', 'PROPFIND', 'PURGE', 'QUERY', 'M-SEARCH', 'FOO']) {
    assert.equal(await ask(method, '/x'), 200, method)
    assert.equal(await ask(method, '/public/x'), 200, method)
  }
  for (const method of ['TRACE', 'CONNECT', 'G T', 'GET\n', 'x'.repeat(40), 'GÉT']) {
    assert.equal(await ask(method, '/x'), 403, method)
    assert.equal(await ask(method, '/public/x'), 403, method)
  }
})

test('our own pages are nobody to ask about, under any spelling', async () => {
  for (const uri of ['/_doorward', '/_doorward/login?rd=/', '/%5fdoorward/login', '/_doorward/callback?code=x']) {
    assert.equal((await gateway.ask({ uri, cookies: [session] })).status, 403, uri)
  }
  assert.equal((await gateway.ask({ uri: '/_doorwardish', cookies: [session] })).status, 200)
})

test('what the gateway does not tell of goes too, where the file names it', async () => {
  for (const [uri, cookies, user] of [
    ['/public/x', [], undefined],
    ['/app/x', [session], 'alice'],
  ] as const) {
    const names = ['x-auth-user', 'x-auth-groups', 'x_auth_user', 'x_auth_groups', 'x-custom-who', 'x_custom_who']
    const untold = names.map((name): HeaderLine => [name, 'mallory'])
    const { upstream = [] } = await gateway.ask({ uri, cookies }, undefined, untold)
    assert.doesNotMatch(JSON.stringify(upstream), /mallory/)
    assert.equal(upstream.find(([name]) => name === 'x-auth-user')?.[1], user)
  }
})

test('the header of one route is taken from clients on all routes, told of or not', async () => {
  for (const name of ['X-Custom-Who', 'x_custom_who', 'X.Custom.Who', 'HTTP-X-Custom-Who']) {
    const outcome = await gateway.ask({ uri: '/public/x', headers: [[name, 'mallory']] })
    assert.doesNotMatch(JSON.stringify(outcome), /mallory/, name)
  }
})
