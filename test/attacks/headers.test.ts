/** The list `headerSmuggling`: whatever a client says it is, the upstream hears our word alone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { foldHeaderName } from '../../src/core/header-name.ts'
import { gatewayWires } from '../contracts/gateway-wires.ts'
import { type CorpusHeader, corpus } from '../support/corpus.ts'
import { ask, bytesOf, type HeaderLine, send } from './wire.ts'
import { host, openWorld, origin, request, type Seen, type World } from './world.ts'

const routes = `
  - { path: /public/*, allow: public, upstream: "{upstream}" }
  - { path: /optional/*, allow: optional, upstream: "{upstream}" }
  - { path: /api/*, allow: signedIn, accept: [session, bearer], upstream: "{upstream}" }
  - { path: /other/*, allow: signedIn, upstream: "{upstream}", headers: { X-Tenant-Id: "{claim:azp}", X-Custom-Who: "{sub}" } }
  - { allow: signedIn, upstream: "{upstream}" }
`

let world: World
let session: string
let token: string
before(async () => {
  world = await openWorld({ routes, more: 'bearer: [{ issuer: "{issuer}", audience: api }]' })
  session = await world.signIn()
  token = await world.rogue.accessToken()
})
after(() => world.close())

const linesOf = (attack: CorpusHeader): HeaderLine[] => [
  [attack.name, attack.value.replace('VALID', token)],
  ...(attack.also ?? []).flatMap(linesOf),
]
const nameOf = (attack: CorpusHeader) => JSON.stringify(linesOf(attack)).slice(0, 100)

/** Names that no gateway gives a meaning to; they pass as they are. */
const ordinary = new Set(['user-agent', 'x-health-check', 'x-request-id', 'cookie', 'sec-websocket-protocol', 'host'])
/** Not HTTP at all. CRLF in a value is not among them: on the wire it is two honest headers, and both are taken away. */
const refusedByGrammar = corpus.headerSmuggling.filter(
  ({ name, value }) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /\n |\0/.test(value),
)

interface Scene {
  readonly target: string
  readonly own: readonly HeaderLine[]
  readonly user: string | undefined
  readonly from?: string
}
const scenes: Record<string, () => Scene> = {
  'public, anonymous': () => ({ target: '/public/x', own: [], user: undefined }),
  'public, from a peer nobody trusts': () => ({ target: '/public/x', own: [], user: undefined, from: '127.0.0.2' }),
  'public, signed in': () => ({ target: '/public/x', own: [['Cookie', session]], user: undefined }),
  'optional, anonymous': () => ({ target: '/optional/x', own: [], user: undefined }),
  'signed in': () => ({ target: '/app/x', own: [['Cookie', session]], user: 'alice' }),
  'signed in, from a peer nobody trusts': () => ({
    target: '/app/x',
    own: [['Cookie', session]],
    user: 'alice',
    from: '127.0.0.2',
  }),
  'by token': () => ({ target: '/api/x', own: [['Authorization', `Bearer ${token}`]], user: 'alice' }),
  websocket: () => ({
    target: '/app/x',
    own: [
      ['Cookie', session],
      ['Origin', origin],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ],
    user: 'alice',
  }),
}

function judge(seen: Seen, attack: CorpusHeader, { user, from = '127.0.0.1' }: Scene): void {
  const said = (name: string) => seen.headers.filter(([own]) => foldHeaderName(own) === name).map(([, value]) => value)
  const what = `${nameOf(attack)} -> ${JSON.stringify(seen.headers)}`
  assert.deepEqual(said('x-auth-user'), user === undefined ? [] : [user], what)
  assert.deepEqual(said('x-auth-subject'), user === undefined ? [] : ['alice-id'], what)
  assert.deepEqual(said('x-auth-groups'), user === undefined ? [] : ['/staff'], what)
  assert.equal(said('host').length, 1, what)
  assert.equal(said('x-forwarded-host').join(), host, what)
  assert.deepEqual(said('x-forwarded-proto'), ['https'], what)
  assert.deepEqual(said('x-forwarded-port'), ['443'], what)
  assert.deepEqual(said('forwarded'), [`for=${said('x-forwarded-for').join()};host=${host};proto=https`], what)
  if (from === '127.0.0.2') assert.deepEqual(said('x-forwarded-for'), [from], what)
  assert.deepEqual(said('authorization'), [], what)
  const ours = [
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'forwarded',
    'connection',
    'upgrade',
  ]
  for (const [name] of linesOf(attack)) {
    const folded = foldHeaderName(name.trim()).replace(/^http-/, '')
    if (ordinary.has(folded) || ours.includes(folded) || folded === 'content-length') continue
    // Our own words for a client that reads trailers, and no other of its codings.
    const kept = folded === 'te' ? said('te').filter((value) => value === 'trailers') : []
    assert.deepEqual(said(folded), kept.slice(0, 1), what)
    assert.deepEqual(said(`http-${folded}`), [], what)
  }
  assert.doesNotMatch(JSON.stringify(seen.headers), /__Host-Http-dw-|base64url\.bearer|system:|evil\.com/, what)
}

describe('through the proxy', () => {
  for (const [name, open] of Object.entries(scenes)) {
    test(name, async () => {
      const scene = open()
      let reached = 0
      for (const attack of corpus.headerSmuggling) {
        const headers: HeaderLine[] = [['Host', host], ...scene.own, ...linesOf(attack)]
        const bytes = bytesOf({ target: scene.target, headers: withClose(headers) })
        const options = { answers: 1, ...(scene.from && { from: scene.from }) }
        const { result, seen } = await world.watch(() => send(world.port, bytes, options))
        const [answer] = result.answers
        assert.ok(answer !== undefined && answer.status < 500, `${nameOf(attack)}: ${answer?.status} ${result.ended}`)
        if (refusedByGrammar.includes(attack)) assert.deepEqual([answer.status, seen.length], [400, 0], nameOf(attack))
        assert.ok(seen.length <= 1)
        for (const one of seen) judge(one, attack, scene)
        reached += seen.length
      }
      assert.ok(reached > 80, `${reached} reached the upstream`)
      assert.deepEqual(world.errors(), [])
    })
  }
})

const withClose = (headers: readonly HeaderLine[]): readonly HeaderLine[] =>
  headers.some(([name]) => name.toLowerCase() === 'connection') ? headers : [...headers, ['Connection', 'close']]

describe('to an ingress', () => {
  for (const gateway of gatewayWires) {
    test(`${gateway.name}: no header of the client comes back as ours`, async () => {
      for (const attack of corpus.headerSmuggling) {
        for (const [uri, cookies, user] of [
          ['/public/x', [], ''],
          ['/app/x', [session], 'alice'],
        ] as const) {
          const raw = gateway.ask({ uri, ...(cookies.length > 0 && { cookies }) })
          const bytes = bytesOf({ ...raw, headers: withClose([...raw.headers, ...linesOf(attack)]) })
          const { answers } = await send(world.forwardAuthPort, bytes, { answers: 1 })
          const [answer] = answers
          assert.ok(answer !== undefined && answer.status < 500, `${nameOf(attack)}: ${answer?.status}`)
          if (answer.status !== 200) continue
          assert.deepEqual(answer.all('x-auth-user'), [user], nameOf(attack))
          assert.deepEqual(answer.all('x-auth-groups'), [user && '/staff'], nameOf(attack))
          assert.doesNotMatch(JSON.stringify(answer.headers), /admin|system:|evil/, nameOf(attack))
        }
      }
      assert.deepEqual(world.errors(), [])
    })
  }
})

describe('Authorization', () => {
  const statusOf = async (value: string, ...more: string[]) => {
    const headers = [value, ...more].map((line): HeaderLine => ['Authorization', line])
    return (await ask(world.port, request('/api/x', { headers }))).status
  }
  test('is read in one way or not at all', async () => {
    assert.equal(await statusOf(`bearer ${token}`), 200, 'the scheme has no case: RFC 9110 11.1')
    assert.equal(await statusOf(`Bearer ${token}, Basic x`), 401)
    assert.equal(await statusOf(`Bearer ${token}`, `Bearer ${token}`), 400)
    for (const bad of ['Bearer', 'Bearer ', 'DPoP x', 'Basic eDp4', `Bearer\t${token}`, `Bearer  ${token} x`, 'x']) {
      const headers: HeaderLine[] = [['Authorization', bad]]
      const { result, seen } = await world.watch(() => ask(world.port, request('/api/x', { headers })))
      assert.deepEqual([result.status, seen.length], [401, 0], bad)
    }
  })

  test('a bad token is not made good by a cookie beside it', async () => {
    const headers: HeaderLine[] = [['Authorization', 'Bearer a.b.c']]
    const answer = await ask(world.port, request('/api/x', { headers, cookie: session }))
    assert.equal(answer.status, 401)
    assert.match(answer.all('www-authenticate').join(), /invalid_token/)
  })
})

test('the header of one route is taken from clients on all routes', async () => {
  for (const name of ['X-Custom-Who', 'x_custom_who', 'X.Custom.Who', 'HTTP-X-Custom-Who']) {
    const headers: HeaderLine[] = [[name, 'mallory']]
    const { seen } = await world.watch(() => ask(world.port, request('/public/x', { headers })))
    assert.doesNotMatch(JSON.stringify(seen), /mallory/)
  }
})
