/** A gateway that asks over gRPC gets the answers of those that ask over HTTP. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { navigation, openWorld, origin, type World } from '../attacks/world.ts'
import { type Question, questions } from '../contracts/forward-auth-questions.ts'
import { type Asking, checkOf, type Http, httpOf, type Outcome, openAsking } from './asking.ts'

const routes = `
  - { path: /public/*, allow: public }
  - { path: /optional/*, allow: optional }
  - { path: /admin/*, allow: { groups: [/admins] } }
  - { path: /read/*, allow: signedIn, methods: [GET] }
  - { path: /office/*, allow: { networks: [203.0.113.0/24] } }
  - { path: /far/*, allow: { networks: [198.51.100.0/24] } }
  - { path: /cors/*, allow: signedIn, cors: { origins: [https://spa.example.com] } }
  - { path: /api/*, allow: signedIn, accept: [bearer] }
  - { path: /basic/*, allow: signedIn, basicAuth: { username: app, password: "a password, quite long 73f1" } }
  - { path: /through/*, allow: signedIn, forwardAuthorization: true }
  - path: /cluster/*
    allow: signedIn
    upstream: https://kubernetes.example.com
    impersonate: { user: "{username}", tokenFile: "{tokenFile}" }
  - { path: /dropping/*, allow: signedIn, dropCookies: [app-auth-*] }
  - { path: /app/*, allow: signedIn }
`
const more = 'extAuthz: 127.0.0.1:0\nbearer: [{ issuer: "{issuer}", audience: api }]'
const portOf = (world: World) => Number(world.server.addresses.extAuthz?.port)

let world: World
let gateway: Asking
let session: string
const folder = mkdtempSync(path.join(tmpdir(), 'doorward-ext-authz-'))
before(async () => {
  const tokenFile = path.join(folder, 'token')
  writeFileSync(tokenFile, 'token-of-the-service-account')
  world = await openWorld({ routes: routes.replace('{tokenFile}', tokenFile), more })
  session = await world.signIn()
  gateway = openAsking(portOf(world))
})
after(async () => {
  gateway.close()
  await world.close()
  rmSync(folder, { recursive: true })
})

const identityNames = ['x-auth-user', 'x-auth-subject', 'x-auth-email', 'x-auth-groups']
const nobody: readonly string[][] = [[], [], [], []]
const alice = [['alice'], ['alice-id'], ['alice@example.org'], ['/staff']]
const upstreamValues = ({ upstream = [] }: Outcome, name: string) =>
  upstream.filter(([own]) => own === name).map(([, value]) => value)

function allowed(outcome: Outcome, identity: readonly string[][]): void {
  assert.equal(outcome.status, 200, outcome.body)
  assert.deepEqual(outcome.answer, [], 'no Set-Cookie is needed')
  assert.deepEqual(
    identityNames.map((name) => upstreamValues(outcome, name)),
    identity,
  )
}

function refused(outcome: Outcome): void {
  assert.equal(outcome.upstream, undefined)
  assert.match(outcome.header('cache-control') ?? '', /no-store/)
  assert.doesNotMatch(JSON.stringify(outcome.answer), /x-auth-/)
}

const expectations: Record<Question['expected'], (outcome: Outcome, uri: string) => void> = {
  anonymous: (outcome) => allowed(outcome, nobody),
  alice: (outcome) => allowed(outcome, alice),
  'sign in': (outcome, uri) => {
    assert.equal(outcome.status, 302)
    assert.equal(outcome.header('location'), `${origin}/_doorward/login?rd=${encodeURIComponent(origin + uri)}`)
    refused(outcome)
  },
  unauthorized: (outcome) => {
    assert.equal(outcome.status, 401)
    assert.equal(outcome.header('location'), undefined)
    assert.ok(outcome.header('www-authenticate'), 'RFC 9110 15.5.2')
    refused(outcome)
  },
  'form not sent': (outcome) => {
    assert.equal(outcome.status, 401)
    assert.equal(outcome.header('location'), undefined)
    assert.match(outcome.body, /not sent/)
    refused(outcome)
  },
  forbidden: (outcome) => {
    assert.equal(outcome.status, 403)
    assert.equal(outcome.header('location'), undefined)
    refused(outcome)
  },
}

for (const isRaw of [false, true]) {
  describe(`the questions of all gateways, headers ${isRaw ? 'raw' : 'in a map'}`, () => {
    for (const { name, request, isSignedIn, expected } of questions) {
      test(name, async () => {
        const asked = { ...request, ...(isSignedIn && { cookies: [session] }) }
        const outcome = await gateway.ask(asked, (http) => ({ ...http, isRaw }))
        expectations[expected](outcome, request.uri)
        assert.doesNotMatch(JSON.stringify(outcome), /mallory/)
        if (request.method === 'HEAD') assert.equal(outcome.body, '')
      })
    }
  })
}

describe('a question', () => {
  const ours = { uri: '/app/x', cookies: [] as string[] }
  const spoilers: Record<string, (http: Http) => Http> = {
    'without a method': ({ method: _, ...http }) => http,
    'without a path': ({ path: _, ...http }) => http,
    'without a host': ({ host: _, ...http }) => http,
    'with an empty path': (http) => ({ ...http, path: '' }),
    'with another :path': (http) => again(http, ':path', '/public/y'),
    'with another :authority': (http) => again(http, ':authority', 'evil.example'),
    'with another :method': (http) => again(http, ':method', 'HEAD'),
    'with a Host beside it': (http) => ({ ...http, headers: [...http.headers, ['host', 'evil.example']] }),
    'with a second :path': (http) => ({ ...http, isRaw: true, headers: [...http.headers, http.headers[1]!] }),
    'with two of Authorization': (http) => ({
      ...http,
      isRaw: true,
      headers: [...http.headers, ['authorization', 'Basic eDp5'], ['authorization', 'Basic eDp5']],
    }),
    'with a line break in a value': (http) => ({ ...http, headers: [...http.headers, ['a', 'b\r\nx-auth-user: m']] }),
    'with a name that is none': (http) => ({ ...http, headers: [...http.headers, ['a b', 'c']] }),
    'with an unknown pseudo header': (http) => ({ ...http, headers: [...http.headers, [':evil', 'c']] }),
    'with more headers than we read': (http) => ({ ...http, headers: [...http.headers, ['a', 'b'.repeat(40_000)]] }),
    'with more lines than we read': (http) => ({
      ...http,
      headers: [...http.headers, ...Array.from({ length: 1000 }, (_, i) => [`a${i}`, 'b'] as const)],
    }),
    'with a method that is none': (http) => again({ ...http, method: 'G T' }, ':method', 'G T'),
    'with a host that is none': (http) => again({ ...http, host: 'a b' }, ':authority', 'a b'),
    CONNECT: (http) => again({ ...http, method: 'CONNECT' }, ':method', 'CONNECT'),
    'about our own pages': (http) => again({ ...http, path: '/_doorward/login' }, ':path', '/_doorward/login'),
  }
  const again = (http: Http, name: string, value: string): Http => ({
    ...http,
    headers: http.headers.map((line) => (line[0] === name ? [name, value] : line)),
  })

  for (const [what, spoil] of Object.entries(spoilers)) {
    test(`${what} is no`, async () => {
      for (const uri of ['/public/x', ours.uri]) {
        const outcome = await gateway.ask({ uri, cookies: [session] }, spoil)
        assert.equal(outcome.status, 403, uri)
        refused(outcome)
      }
      assert.deepEqual(world.errors(), [])
    })
  }

  test('about HEAD is answered without a body', async () => {
    const outcome = await gateway.ask({ method: 'HEAD', uri: '/app/x' })
    assert.deepEqual([outcome.status, outcome.body], [401, ''])
  })

  test('that is empty, or no message at all, is no', async () => {
    for (const request of [
      {},
      { attributes: {} },
      { attributes: { request: {} } },
      { attributes: { request: { http: {} } } },
    ]) {
      refused(await gateway.check(request))
    }
    for (const bytes of [Buffer.of(0xff, 0xff, 0xff), Buffer.of(0x0a, 0x7f, 0x01), Buffer.alloc(2000, 0x0a)]) {
      const answer = await gateway.raw('/envoy.service.auth.v3.Authorization/Check', bytes)
      assert.ok(answer.includes(Buffer.of(0x0a, 0x02, 0x08, 0x07)), 'PERMISSION_DENIED, and not a failed call')
    }
    assert.deepEqual(world.errors(), [])
  })

  test('with headers in both ways is no, and so is a name that comes twice in the map', async () => {
    const http = httpOf({ uri: '/app/x', cookies: [session] })
    const plain = checkOf(http).attributes!.request!.http!
    const raw = { header_map: { headers: [{ key: 'x-other', raw_value: Buffer.from('1') }] } }
    const both = { attributes: { request: { http: { ...plain, ...raw } } } }
    assert.equal((await gateway.check(both)).status, 403)
    const twice = { ...plain, headers: [...plain.headers!, { key: 'Cookie', value: 'a=b' }] }
    assert.equal((await gateway.check({ attributes: { request: { http: twice } } })).status, 403)
    assert.equal((await gateway.check({ attributes: { request: { http: plain } } })).status, 200)
  })
})

describe('a peer that nobody trusts', () => {
  test('is refused before anything is read, with the line to add', async (t) => {
    const other = await openWorld({ routes, more, rogue: world.rogue, trustedProxies: '[127.0.0.2/32]' })
    t.after(() => other.close())
    const stranger = openAsking(portOf(other))
    t.after(() => stranger.close())
    for (const request of [checkOf(httpOf({ uri: '/public/x' })), {}]) {
      const outcome = await stranger.check(request)
      assert.equal(outcome.status, 403)
      refused(outcome)
    }
    const said = other.log().filter(({ code }) => code === 'peer_untrusted')
    assert.equal(said.length, 2)
    for (const { msg } of said) assert.match(String(msg), /127\.0\.0\.1 asked .* trustedProxies: \[127\.0\.0\.1\]/)
    assert.equal(await stranger.health(), 'SERVING', 'health is for everybody')
  })
})

describe('the client', () => {
  const from = async (source: string | undefined, forwardedFor: string | undefined) => {
    const outcome = await gateway.ask({ uri: '/office/x', cookies: [session] }, ({ source: _, headers, ...http }) => ({
      ...http,
      headers: [
        ...headers.filter(([name]) => name !== 'x-forwarded-for'),
        ...(forwardedFor === undefined ? [] : [['x-forwarded-for', forwardedFor] as const]),
      ],
      ...(source !== undefined && { source }),
    }))
    return outcome.status
  }
  test('is who connected to the gateway; X-Forwarded-For counts where that one is trusted', async () => {
    assert.equal(await from('203.0.113.9', undefined), 200)
    assert.equal(await from('203.0.113.9', '6.6.6.6'), 200)
    assert.equal(await from('6.6.6.6', '203.0.113.9'), 403, 'written by the client')
    assert.equal(await from('127.0.0.1', '203.0.113.9'), 200, 'a proxy of ours in front of the gateway')
    assert.equal(await from('127.0.0.1', '203.0.113.9, 6.6.6.6'), 403)
    assert.equal(await from(undefined, '6.6.6.6, 203.0.113.9'), 200)
    assert.equal(await from(undefined, undefined), 403)
    assert.equal(await from('not an address', '203.0.113.9'), 403)
  })
})

test('cookies that a route drops are taken out of Cookie, beside our own', async () => {
  const cookies = async (uri: string, ...own: string[]) =>
    upstreamValues(await gateway.ask({ uri, cookies: [session, ...own] }), 'cookie')
  assert.deepEqual(await cookies('/dropping/x', 'app-auth-main=t', 'theme=dark'), ['theme=dark'])
  assert.deepEqual(await cookies('/dropping/x', 'app-auth-main=t'), [])
  assert.deepEqual(await cookies('/app/x', 'app-auth-main=t'), ['app-auth-main=t'])
})

describe('Authorization', () => {
  const authorization = async (uri: string, value?: string) => {
    const headers = value === undefined ? [] : [['Authorization', value] as const]
    const outcome = await gateway.ask({ uri, cookies: [session], headers })
    return [outcome.status, ...upstreamValues(outcome, 'authorization')]
  }
  test('of the client passes where the route says so', async () => {
    const token = `Bearer ${await world.rogue.accessToken()}`
    assert.deepEqual(await authorization('/through/x', 'Basic eDp5'), [200, 'Basic eDp5'])
    assert.deepEqual(await authorization('/app/x', 'Basic eDp5'), [200])
    assert.deepEqual(await authorization('/api/x', token), [200])
    assert.deepEqual(await authorization('/api/x', `${token}x`), [401])
    assert.deepEqual(await authorization('/public/x', token), [200])
  })
  test('of the file is set', async () => {
    const expected = `Basic ${Buffer.from('app:a password, quite long 73f1').toString('base64')}`
    assert.deepEqual(await authorization('/basic/x'), [200, expected])
    assert.deepEqual(await authorization('/basic/x', 'Basic eDp5'), [200, expected])
  })
  test('of a service account that speaks for people never leaves for a gateway', async () => {
    assert.deepEqual(await authorization('/cluster/x', 'Basic eDp5'), [200])
    const outcome = await gateway.ask({ uri: '/cluster/x', cookies: [session] })
    assert.doesNotMatch(JSON.stringify(outcome), /token-of-the|impersonate/i)
  })
  test('by the name of a websocket protocol is the same', async () => {
    const headers = [
      ['Sec-WebSocket-Protocol', 'base64url.bearer.authorization.k8s.io.dG9rZW4, v4.channel.k8s.io'],
    ] as const
    const outcome = await gateway.ask({ uri: '/app/x', cookies: [session], headers })
    assert.deepEqual(upstreamValues(outcome, 'sec-websocket-protocol'), ['v4.channel.k8s.io'])
    const kept = await gateway.ask({ uri: '/through/x', cookies: [session], headers })
    assert.deepEqual(upstreamValues(kept, 'sec-websocket-protocol'), [headers[0][1]])
  })
})

describe('our own cookies', () => {
  test('never reach the application, and those of others do', async () => {
    const cookie = async (cookies: readonly string[], isRaw: boolean) => {
      const outcome = await gateway.ask({ uri: '/app/x', cookies }, (http) => ({ ...http, isRaw }))
      assert.equal(outcome.status, 200)
      return upstreamValues(outcome, 'cookie')
    }
    for (const isRaw of [false, true]) {
      assert.deepEqual(await cookie([session], isRaw), [])
      assert.deepEqual(await cookie([`a=b; ${session}; c=d`], isRaw), ['a=b; c=d'])
      assert.deepEqual(await cookie(['a=b', session], isRaw), ['a=b'])
      assert.deepEqual(await cookie([session, 'a=b'], isRaw), ['a=b'])
    }
  })
  test('are taken out of others without a change to these, whatever their bytes', async () => {
    const pass = async (cookie: string, isRaw: boolean) =>
      upstreamValues(await gateway.ask({ uri: '/app/x', cookies: [cookie] }, (http) => ({ ...http, isRaw })), 'cookie')
    assert.deepEqual(await pass(`n=zoë; ${session}`, false), ['n=zoë'])
    assert.deepEqual(await pass(`n=zo\xc3\xab; ${session}`, true), ['n=zoë'], 'as text, which is how the answer goes')
  })
  test('twice are none (which is meant cannot be known), and bytes no cookie holds are no session', async () => {
    for (const isRaw of [false, true]) {
      const ask = async (cookies: string[]) =>
        (await gateway.ask({ uri: '/app/x', cookies }, (http) => ({ ...http, isRaw }))).status
      assert.equal(await ask([session, session]), 401)
      assert.equal(await ask([`${session.slice(0, 80)}\xff${session.slice(80)}`]), 401)
      assert.equal(await ask(['dw=\xff\xfe']), 401)
    }
    assert.deepEqual(world.errors(), [])
  })
})

describe('a sealed session', () => {
  test('that is due is renewed on a yes, without a hop, and the cookie comes with the answer', async (t) => {
    const sealed = await openWorld({ store: 'cookie', routes, more, rogue: world.rogue })
    t.after(() => sealed.close())
    const asking = openAsking(portOf(sealed))
    t.after(() => asking.close())
    const old = await sealed.signIn()
    sealed.clock.advance(250_000)
    const page = await asking.ask({ uri: '/app/x', headers: navigation, cookies: [old] })
    assert.equal(page.status, 200)
    const cookies = page.answer
      .filter(([name, value]) => name === 'set-cookie' && !/max-age=0/i.test(value))
      .map(([, value]) => value.split(';', 1)[0])
    assert.ok(cookies.length > 0)
    assert.notEqual(cookies.join('; '), old)
    assert.equal((await asking.ask({ uri: '/app/x', cookies: [cookies.join('; ')] })).status, 200)
  })

  test('that is over is cleared with the no', async () => {
    const broken = session.replace(/=.{8}/, '=AAAAAAAA')
    const outcome = await gateway.ask({ uri: '/app/x', headers: navigation, cookies: [broken] })
    assert.equal(outcome.status, 302)
    assert.match(outcome.header('set-cookie') ?? '', /max-age=0/i)
  })
})

describe('with the provider down', () => {
  test('a token cannot be checked: 503 and Retry-After, as a no and not as a failed call', async (t) => {
    const down = await openWorld({ routes, more })
    t.after(() => down.close())
    await down.rogue.close()
    const asking = openAsking(portOf(down))
    t.after(() => asking.close())
    const token = await world.rogue.accessToken({ iss: down.rogue.issuer })
    const outcome = await asking.ask({ uri: '/api/x', headers: [['Authorization', `Bearer ${token}`], ...navigation] })
    assert.equal(outcome.status, 503)
    assert.ok(Number(outcome.header('retry-after')) > 0)
    refused(outcome)
  })
})

describe('a gateway that does not wait', () => {
  test('is forgotten; what it asked is decided all the same, and the next question is answered', async (t) => {
    const slow = await openWorld({ routes, more })
    t.after(() => slow.close())
    const asking = openAsking(portOf(slow))
    t.after(() => asking.close())
    let answer = () => {}
    const jwks = (response: ServerResponse) => {
      answer = () => response.writeHead(503).end()
    }
    slow.rogue.script = { raw: { jwks } }
    const token = await slow.rogue.accessToken()
    const headers = [['Authorization', `Bearer ${token}`]] as const
    await assert.rejects(asking.giveUp({ uri: '/api/x', headers }, 200), { code: 4 })
    answer()
    const logged = () => slow.log().some(({ msg, path }) => msg === 'access' && path === '/api/x')
    for (let tries = 0; tries < 200 && !logged(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.ok(logged())
    assert.equal((await asking.ask({ uri: '/public/x' })).status, 200)
    assert.deepEqual(slow.errors(), [])
  })
})

describe('the process', () => {
  test('tells that it goes away, finishes what runs, and is gone', async () => {
    const leaving = await openWorld({ routes, more, rogue: world.rogue })
    const asking = openAsking(portOf(leaving))
    assert.equal(await asking.health(), 'SERVING')
    assert.equal(await asking.health('envoy.service.auth.v3.Authorization'), 'SERVING')
    await assert.rejects(asking.health('other'), { code: 5 })
    const heard: string[] = []
    const watching = (async () => {
      for await (const { status } of asking.watch()) heard.push(status)
    })()
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const started = Date.now()
    await leaving.close()
    await watching
    assert.ok(Date.now() - started < 900, 'and not by force at the end of its patience')
    assert.deepEqual(heard, ['SERVING', 'NOT_SERVING'])
    await assert.rejects(asking.ask({ uri: '/public/x' }), { code: 14 })
    asking.close()
  })
})
