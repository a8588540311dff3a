/** What happens around the subrequest: the way to the sign-in and back, broken cookies, things that are down. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { staysPublic } from '../attacks/readings.ts'
import { ask, bytesOf, type HeaderLine } from '../attacks/wire.ts'
import { cookiesOf, navigation, openWorld, origin, request, type World } from '../attacks/world.ts'
import { type GatewayWire, gatewayWires } from '../contracts/gateway-wires.ts'
import { corpus } from '../support/corpus.ts'

const routes = `
  - { path: /public/*, allow: public }
  - { path: /health, allow: public }
  - { path: /api/*, allow: signedIn, accept: [bearer] }
  - { path: /both/*, allow: signedIn, accept: [session, bearer] }
  - { path: /office/*, allow: { networks: [203.0.113.0/24] } }
  - { allow: signedIn }
`
const more = 'bearer: [{ issuer: "{issuer}", audience: api }]'
const wire = (name: string): GatewayWire => gatewayWires.find((each) => each.name === name)!
const traefik = wire('traefik')

let world: World
let session: string
before(async () => {
  world = await openWorld({ store: 'cookie', routes, more })
  session = await world.signIn()
})
after(() => world.close())

describe('a path that two readers could read differently', () => {
  for (const gateway of gatewayWires) {
    test(`is never let through anonymously: ${gateway.name}`, async () => {
      for (const uri of corpus.pathBypass) {
        // The gateway's own parser would not have taken white space or raw bytes in; headers can carry most of it.
        const raw = gateway.ask({ uri })
        const { status } = await ask(world.forwardAuthPort, raw).catch(() => ({ status: 400 }))
        if (status === 200) assert.ok(staysPublic(uri), `${JSON.stringify(uri)} was let through`)
        else assert.ok([400, 401, 403, 404].includes(status), `${JSON.stringify(uri)}: ${status}`)
      }
      assert.deepEqual(world.errors(), [])
    })
  }
})

test('whatever address was asked for, the way to the sign-in stays on our own', async () => {
  const targets = [
    ...corpus.openRedirect,
    ...corpus.openRedirectAllowed,
    ...corpus.openRedirectSelf,
    ...corpus.forwardedHost,
  ]
  let led = 0
  for (const gateway of gatewayWires) {
    for (const uri of targets.filter((target) => !/[\r\n]/.test(target))) {
      const raw = gateway.ask({ uri, headers: navigation })
      const answer = await ask(world.forwardAuthPort, raw).catch(() => undefined)
      const location = answer?.header('location')
      if (location === undefined) continue
      led++
      assert.equal(new URL(location).origin, origin)
      const returnTo = new URL(location).searchParams.get('rd')!
      assert.ok(returnTo.startsWith(`${origin}/`), `${uri} -> ${returnTo}`)
      assert.equal(new URL(returnTo).origin, origin)
    }
  }
  assert.ok(led > 100, 'plain paths do lead to the sign-in')
})

test('a websocket that Traefik calls wss is one of the https site', async () => {
  const asked = traefik.ask({
    uri: '/x',
    cookies: [session],
    headers: [
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZQ=='],
      ['Origin', origin],
    ],
  })
  const saying = (scheme: string) => ({
    ...asked,
    headers: asked.headers.map(([name, value]): HeaderLine => [name, name === 'X-Forwarded-Proto' ? scheme : value]),
  })
  assert.equal((await ask(world.forwardAuthPort, saying('wss'))).status, 200)
  for (const scheme of ['ws', 'WSS', 'wss,https', 'ftp']) {
    assert.notEqual((await ask(world.forwardAuthPort, saying(scheme))).status, 200, scheme)
  }
})

test('nginx: a form that was not sent leads to the page that says so, and from there to the sign-in', async () => {
  const headers = [...navigation, ['Origin', origin] as const]
  const asked = wire('nginx').ask({ method: 'POST', uri: '/order?n=1', headers })
  const location = new URL((await ask(world.forwardAuthPort, asked)).header('location')!)
  const page = await ask(world.port, request(location.pathname + location.search, { headers: navigation }))
  assert.equal(page.status, 401)
  assert.match(page.body, /not sent/)
  assert.match(page.body, /href="https:\/\/app\.example\.com\/_doorward\/login\?rd=/)
  assert.equal(page.header('set-cookie'), undefined, 'no login has begun')
})

describe('a sealed session that is due', () => {
  test('passes through renew on a navigation alone, and comes back with a new cookie', async () => {
    const old = await world.signIn()
    world.clock.advance(250_000)
    for (const gateway of gatewayWires) {
      const script = await ask(world.forwardAuthPort, gateway.ask({ uri: '/x', cookies: [old] }))
      assert.equal(script.status, 200, gateway.name)
      assert.equal(script.header('set-cookie'), undefined)
      const page = await ask(world.forwardAuthPort, gateway.ask({ uri: '/x?y', cookies: [old], headers: navigation }))
      assert.equal(page.status, gateway.loginStatus)
      assert.equal(page.header('location'), `${origin}/_doorward/renew?rd=${encodeURIComponent(`${origin}/x?y`)}`)
    }
    const hop = await ask(world.port, request('/_doorward/renew?rd=%2Fx%3Fy', { cookie: old, headers: navigation }))
    assert.equal(hop.status, 303)
    assert.equal(hop.header('location'), `${origin}/x?y`)
    const renewed = cookiesOf(hop)
    assert.notEqual(renewed, old)
    const back = traefik.ask({ uri: '/x?y', cookies: [renewed], headers: navigation })
    assert.equal((await ask(world.forwardAuthPort, back)).status, 200)
  })

  test('goes on without a hop while the provider is down', async () => {
    const old = await world.signIn()
    world.clock.advance(250_000)
    world.rogue.script = { raw: { token: (response) => response.writeHead(503).end() } }
    const hop = await ask(world.port, request('/_doorward/renew?rd=%2Fx', { cookie: old, headers: navigation }))
    assert.equal(hop.status, 303)
    const again = traefik.ask({ uri: '/x', cookies: [old], headers: navigation })
    const answer = await ask(world.forwardAuthPort, again)
    world.rogue.script = {}
    assert.equal(answer.status, 200, 'a loop, if it were a hop again')
  })
})

describe('a cookie that is not quite ours', () => {
  const tries = (cookie: string) => ask(world.forwardAuthPort, traefik.ask({ uri: '/x', cookies: [cookie] }))

  test('one byte changed anywhere is no session', async () => {
    const fresh = await world.signIn()
    const [name, value] = [fresh.slice(0, fresh.indexOf('=')), fresh.slice(fresh.indexOf('=') + 1).split(';')[0]!]
    assert.equal((await tries(`${name}=${value}`)).status, 200)
    const every = Math.max(1, Math.floor(value.length / 400))
    for (let at = 0; at < value.length; at += every) {
      const other = value[at] === 'A' ? 'B' : 'A'
      const { status } = await tries(`${name}=${value.slice(0, at)}${other}${value.slice(at + 1)}`)
      assert.equal(status, 401, `position ${at}`)
    }
    assert.deepEqual(world.errors(), [])
  })

  test('bytes no cookie holds are no session either (Envoy CVE-2023-27488)', async () => {
    for (const gateway of gatewayWires) {
      for (const cookie of ['dw=\xff\xfe', `${session.slice(0, 80)}\xff${session.slice(80)}`, '\xe9']) {
        const bytes = Buffer.from(bytesOf(gateway.ask({ uri: '/x', cookies: [cookie] })), 'latin1')
        const answer = await ask(world.forwardAuthPort, bytes)
        assert.equal(answer.status, 401, gateway.name)
      }
    }
  })

  test('another cookie beside it does no harm, in two lines, joined by a comma, or by a semicolon', async () => {
    const fresh = await world.signIn()
    for (const gateway of gatewayWires) {
      for (const cookies of [['a=b', fresh], [fresh, 'a=b'], [`a="x, y"; ${fresh}`], [`a=b,${fresh}`]]) {
        const answer = await ask(world.forwardAuthPort, gateway.ask({ uri: '/x', cookies }))
        assert.equal(answer.status, 200, `${gateway.name}: ${cookies.map((cookie) => cookie.slice(0, 20))}`)
      }
      const twice = await ask(world.forwardAuthPort, gateway.ask({ uri: '/x', cookies: [fresh, fresh] }))
      assert.equal(twice.status, 401, 'which of two is meant cannot be known')
    }
  })
})

test('the client is found by walking X-Forwarded-For from the right', async () => {
  const fresh = await world.signIn()
  const from = async (...lines: string[]) => {
    const raw = traefik.ask({ uri: '/office/x', cookies: [fresh] })
    const others = raw.headers.filter(([name]) => name !== 'X-Forwarded-For')
    const headers = [...others, ...lines.map((line): HeaderLine => ['X-Forwarded-For', line])]
    return (await ask(world.forwardAuthPort, { ...raw, headers })).status
  }
  assert.equal(await from('203.0.113.9'), 200)
  assert.equal(await from('203.0.113.9, 127.0.0.1'), 200, 'ourselves are trusted')
  assert.equal(await from('6.6.6.6, 203.0.113.9'), 200)
  assert.equal(await from('6.6.6.6', '203.0.113.9'), 200)
  assert.equal(await from('203.0.113.9, 6.6.6.6'), 403, 'what stands further left was written by somebody unknown')
  assert.equal(await from('203.0.113.9', '6.6.6.6'), 403)
  assert.equal(await from('203.0.113.9, unknown'), 403)
  assert.equal(await from(), 403)
})

describe('the endpoint', () => {
  const at = (target: string, headers: readonly HeaderLine[] = traefik.ask({ uri: '/x' }).headers) =>
    ask(world.forwardAuthPort, { target, headers })

  test('does not listen to its own query', async () => {
    for (const query of [
      '?uri=/public/x',
      '?rd=https://evil.example',
      '?X-Forwarded-Uri=/public/x',
      '?a#/public',
      '?',
    ]) {
      assert.equal((await at(`/auth/traefik${query}`)).status, 401)
      assert.equal((await at(`/auth/nginx${query}`, wire('nginx').ask({ uri: '/x' }).headers)).status, 401)
    }
  })

  test('is none of these', async () => {
    const others = [
      '/',
      '/auth',
      '/auth/',
      '/auth/traefik/',
      '/auth/traefik/x',
      '/auth/nginx/..',
      '/AUTH/traefik',
      '//auth/traefik',
    ]
    const more = [
      '/auth/envoyx',
      '/auth//envoy/x',
      '/x/../auth/traefik',
      '/auth/unknown',
      '/_doorward/login',
      '/healthz',
    ]
    for (const target of [...others, ...more]) assert.equal((await at(target)).status, 404, target)
  })

  test('takes any method and any suffix that Envoy sends', async () => {
    const fresh = await world.signIn()
    for (const method of ['GET', 'HEAD', 'POST', 'PROPFIND', 'PURGE', 'QUERY', 'M-SEARCH']) {
      const headers: HeaderLine[] = [['Origin', origin]]
      const raw = wire('envoy').ask({ method, uri: '/x/y', cookies: [fresh], headers })
      assert.equal((await ask(world.forwardAuthPort, raw)).status, 200, method)
    }
  })

  test('ignores a body that came along', async () => {
    const raw = wire('envoy').ask({ method: 'POST', uri: '/public/x' })
    const headers = raw.headers.filter(([name]) => name !== 'Content-Length')
    const withBody = { ...raw, headers: [...headers, ['Content-Length', '5'] as const], body: 'hello' }
    assert.equal((await ask(world.forwardAuthPort, withBody)).status, 200)
  })
})

describe('with the provider down', () => {
  let down: World
  before(async () => {
    down = await openWorld({ routes, more })
    await down.rogue.close()
  })
  after(() => down.close())

  test('a token cannot be checked: 503 and Retry-After, never a yes and never a redirect', async () => {
    const headers: HeaderLine[] = [
      ['Authorization', `Bearer ${await world.rogue.accessToken({ iss: down.rogue.issuer })}`],
      ...navigation,
    ]
    for (const gateway of gatewayWires) {
      const answer = await ask(down.forwardAuthPort, gateway.ask({ uri: '/api/x', headers }))
      assert.equal(answer.status, 503, gateway.name)
      assert.ok(Number(answer.header('retry-after')) > 0)
      assert.equal(answer.header('location'), undefined)
      assert.equal(answer.header('x-auth-user') ?? '', '')
    }
  })

  test('the way to the sign-in ends at a page with 503 instead of going round', async () => {
    const asked = await ask(down.forwardAuthPort, traefik.ask({ uri: '/x', headers: navigation }))
    const location = new URL(asked.header('location')!)
    const page = await ask(down.port, request(location.pathname + location.search, { headers: navigation }))
    assert.equal(page.status, 503)
    assert.equal(page.header('location'), undefined)
    assert.deepEqual(down.errors(), [])
  })
})
