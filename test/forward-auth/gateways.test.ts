import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseNetworks } from '../../src/core/addresses.ts'
import { createIngressWitness } from '../../src/http/forward-auth/ingress-witness.ts'
import { ask, type HeaderLine, type RawAnswer, type RawRequest } from '../attacks/wire.ts'
import { openWorld, origin, type World } from '../attacks/world.ts'
import { type Question, questions } from '../contracts/forward-auth-questions.ts'
import { type ClientRequest, type GatewayWire, gatewayWires } from '../contracts/gateway-wires.ts'

const routes = `
  - { path: /public/*, allow: public }
  - { path: /optional/*, allow: optional }
  - { path: /admin/*, allow: { groups: [/admins] } }
  - { path: /read/*, allow: signedIn, methods: [GET] }
  - { path: /office/*, allow: { networks: [203.0.113.0/24] } }
  - { path: /far/*, allow: { networks: [198.51.100.0/24] } }
  - { path: /cors/*, allow: signedIn, cors: { origins: [https://spa.example.com] } }
  - { path: /api/*, allow: signedIn, accept: [bearer] }
  - { path: /app/*, allow: signedIn }
`

let world: World
let session: string
before(async () => {
  world = await openWorld({ routes, more: 'bearer: [{ issuer: "{issuer}", audience: api }]' })
  session = await world.signIn()
})
after(() => world.close())

test('of those who ask, a handful is remembered', () => {
  const witness = createIngressWitness()
  for (let i = 0; i < 1000; i++) witness.asked(`10.0.${i >> 8}.${i & 255}`, undefined)
  const { asked, peers } = witness.report(parseNetworks([]))
  assert.deepEqual([asked, peers.length, peers[0]], [1000, 16, '10.0.0.0'])
})

const put = (gateway: GatewayWire, question: ClientRequest, alter: (raw: RawRequest) => RawRequest = (raw) => raw) =>
  ask(world.forwardAuthPort, alter(gateway.ask(question)))

const nobody = { user: '', subject: '', email: '', groups: '' }
const alice = { user: 'alice', subject: 'alice-id', email: 'alice@example.org', groups: '/staff' }

/** Every configured name exactly once: a name left out is a name believed (Caddy CVE-2026-30851). */
function identityOf(answer: RawAnswer) {
  const one = (name: string) => {
    const values = answer.all(name)
    assert.equal(values.length, 1, `${name} comes ${values.length} times`)
    return values[0]
  }
  return {
    user: one('x-auth-user'),
    subject: one('x-auth-subject'),
    email: one('x-auth-email'),
    groups: one('x-auth-groups'),
  }
}

const expectations: Record<
  Question['expected'],
  (answer: RawAnswer, gateway: GatewayWire, question: Question) => void
> = {
  anonymous: (answer) => allowed(answer, nobody),
  alice: (answer) => allowed(answer, alice),
  'sign in': (answer, gateway, { request: { uri } }) => {
    assert.equal(answer.status, gateway.loginStatus)
    assert.equal(answer.header('location'), `${origin}/_doorward/login?rd=${encodeURIComponent(origin + uri)}`)
    refused(answer)
  },
  unauthorized: (answer) => {
    assert.equal(answer.status, 401)
    assert.equal(answer.header('location'), undefined)
    assert.ok(answer.all('www-authenticate').length > 0, 'RFC 9110 15.5.2')
    refused(answer)
  },
  'form not sent': (answer, gateway, { request: { uri } }) => {
    assert.equal(answer.status, 401)
    const page = `${origin}/_doorward/login?rd=${encodeURIComponent(origin + uri)}&form=not-sent`
    assert.equal(answer.header('location'), gateway.loginStatus === 401 ? page : undefined)
    if (gateway.name !== 'haproxy') assert.match(answer.body, /not sent/)
    refused(answer)
  },
  forbidden: (answer) => {
    assert.equal(answer.status, 403)
    assert.equal(answer.header('location'), undefined)
    refused(answer)
  },
}

function allowed(answer: RawAnswer, identity: typeof nobody): void {
  assert.equal(answer.status, 200, answer.body)
  assert.equal(answer.header('set-cookie'), undefined)
  assert.equal(answer.body, '')
  assert.deepEqual(identityOf(answer), identity)
}

function refused(answer: RawAnswer): void {
  assert.match(answer.header('cache-control') ?? '', /no-store/)
  for (const name of ['x-auth-user', 'x-auth-subject', 'x-auth-email', 'x-auth-groups']) {
    assert.equal(answer.all(name).join(), '', 'no identity leaves with a no')
  }
}

for (const gateway of gatewayWires) {
  describe(gateway.name, () => {
    for (const question of questions) {
      test(question.name, async (t) => {
        const { request: asked, isSignedIn = false, expected } = question
        if (gateway.carriers.length === 1 && /^(?:get|TRACE)$/.test(asked.method ?? '') && asked.method !== 'TRACE') {
          return t.skip('the method is the request line of this gateway, and no HTTP parser takes it in lower case')
        }
        const answer = await put(gateway, { ...asked, ...(isSignedIn && { cookies: [session] }) })
        expectations[expected](answer, gateway, question)
        assert.doesNotMatch(JSON.stringify(answer.headers) + answer.body, /mallory/)
        const head = answer.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
        assert.ok(head < 4096, `${head} bytes of headers: nginx reads 4 KiB`)
        if (gateway.name === 'haproxy') assert.equal(answer.body, '', 'the question is a HEAD')
      })
    }

    test('a question with a part missing, empty or twice is no', async () => {
      for (const uri of ['/public/x', '/app/x']) {
        const ours = { uri, cookies: [session] }
        assert.equal((await put(gateway, ours)).status, 200)
        for (const carrier of gateway.carriers) {
          for (const [what, alter] of Object.entries(spoilers(carrier))) {
            const { status } = await put(gateway, ours, (raw) => ({ ...raw, headers: alter(raw.headers) }))
            assert.ok(status === 403 || (status === 400 && carrier === 'Host'), `${carrier} ${what}: ${status}`)
          }
        }
      }
    })

    test('the words of other gateways are not listened to', async () => {
      const others: HeaderLine[] = [
        ['X-Original-URL', `${origin}/public/x`],
        ['X-Original-Method', 'GET'],
        ['X-Original-URI', '/public/x'],
        ['X-Rewrite-URL', '/public/x'],
        ['X-Forwarded-Uri', '/public/x'],
        ['X-Forwarded-Prefix', '/public'],
        ['X-Envoy-Original-Path', '/public/x'],
        ['X-Forwarded-Server', 'evil.example'],
        ['X_Forwarded_Uri', '/public/x'],
        ['Path', '/public/x'],
        ['Forwarded', 'host=evil.example;proto=http'],
      ]
      const foreign = others.filter(([name]) => !gateway.carriers.includes(name))
      const answer = await put(gateway, { uri: '/app/x' }, (raw) => ({ ...raw, headers: [...foreign, ...raw.headers] }))
      assert.equal(answer.status, 401)
      assert.match(answer.body || `${origin}/app/x`, /app(?:\/|%2F)x/)
    })

    test('a peer that nobody trusts is refused before any header is read, with the line to add', async () => {
      const lines = world.log().length
      const stranger = { from: '127.0.0.2' }
      for (const question of [
        gateway.ask({ uri: '/public/x' }),
        { target: `/auth/${gateway.name}`, headers: [['Host', 'a']] },
      ] as RawRequest[]) {
        assert.equal((await ask(world.forwardAuthPort, question, stranger)).status, 403)
      }
      const said = world
        .log()
        .slice(lines)
        .filter(({ code }) => code === 'peer_untrusted')
      assert.equal(said.length, 2)
      for (const { msg } of said) assert.match(String(msg), /127\.0\.0\.2 asked .* trustedProxies: \[127\.0\.0\.2\]/)
    })
  })
}

function spoilers(carrier: string): Record<string, (headers: readonly HeaderLine[]) => HeaderLine[]> {
  const isCarrier = ([name]: HeaderLine) => name === carrier
  return {
    missing: (headers) => headers.filter((line) => !isCarrier(line)),
    empty: (headers) => headers.map((line) => (isCarrier(line) ? [carrier, ''] : line)),
    'twice the same': (headers) => [...headers, headers.find(isCarrier)!],
    'in another spelling too': (headers) => [...headers, [carrier.toLowerCase(), headers.find(isCarrier)![1]]],
    'joined by a comma': (headers) =>
      headers.map((line) => (isCarrier(line) ? [carrier, `${line[1]}, ${line[1]}`] : line)),
  }
}
