/** Who may do what, told apart for people, scripts and API clients. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { request } from 'undici'
import { send } from '../attacks/wire.ts'
import { hours } from '../support/clock.ts'
import { routesTo, signedIn, startGateway, type World } from '../support/gateway.ts'

test('a page people may not see says who they are and what is missing; a script gets it as JSON', async (t) => {
  const gateway = await startGateway(t)
  const browser = await signedIn(gateway, 'bob')
  const page = await browser.navigate(`${gateway.origin}/admin/`)
  assert.equal(page.status, 403)
  assert.match(page.text, /Bob Wheeler/)
  assert.match(page.text, /\/admins/)
  const before = gateway.application.received.length
  const script = await browser.fetch(`${gateway.origin}/admin/`, { from: gateway.origin })
  assert.equal(script.status, 403)
  const { error, missing, request_id } = JSON.parse(script.body)
  assert.equal(error, 'requirement_unmet')
  assert.equal(missing[0].requirement, 'groups')
  assert.ok(gateway.logText().includes(request_id))
  assert.equal(gateway.application.received.length, before)
  assert.ok(gateway.lines().some(({ event, username }) => event === 'denied' && username === 'bob'))
})

test('an optional route tells who it is where it knows, and a public one never', async (t) => {
  const gateway = await startGateway(t)
  const stranger = gateway.browser()
  assert.equal((await stranger.navigate(`${gateway.origin}/optional/x`)).status, 200)
  assert.equal(gateway.application.last().headers['x-auth-user'], undefined)
  const ada = await signedIn(gateway)
  await ada.navigate(`${gateway.origin}/optional/x`)
  assert.equal(gateway.application.last().headers['x-auth-user'], 'ada')
  await ada.navigate(`${gateway.origin}/public/x`)
  assert.equal(gateway.application.last().headers['x-auth-user'], undefined)
  const forged = { 'x-auth-user': 'root', x_auth_user: 'root', 'X-Auth-Groups': '/admins' }
  for (const path of ['/public/x', '/optional/x']) {
    await stranger.fetch(gateway.origin + path, { headers: forged })
    const { rawHeaders } = gateway.application.last()
    assert.ok(!rawHeaders.some((text) => text === 'root' || text === '/admins'), rawHeaders.join(' '))
  }
})

describe('step-up', () => {
  const config = ({ application }: World) => ({
    routes: [
      { path: '/gold/*', allow: { acr: ['gold'] }, accept: ['session', 'bearer'], upstream: application },
      { path: '/fresh/*', allow: { maxAge: '10m' }, upstream: application },
      ...routesTo(application),
    ],
  })

  test('asks once for the class a route wants, and gets it', async (t) => {
    const gateway = await startGateway(t, { config })
    const browser = await signedIn(gateway)
    const page = await browser.navigate(`${gateway.origin}/gold/bars?n=1`)
    const asked = page.hops.find(({ url }) => url.startsWith(`${gateway.issuer}/auth?`))!
    const claims = JSON.parse(new URL(asked.url).searchParams.get('claims')!)
    assert.deepEqual(claims.id_token.acr, { essential: true, values: ['gold'] })
    const visit = await browser.submit(page, { username: 'ada', password: 'ada' }, 'Sign in')
    assert.equal(visit.url, `${gateway.origin}/gold/bars?n=1`)
    assert.equal(visit.status, 200)
    assert.equal((await browser.navigate(`${gateway.origin}/gold/bars`)).hops.length, 1, 'and keeps it')
  })

  test('is asked for by a script as 401, by an API client as RFC 9470 says', async (t) => {
    const gateway = await startGateway(t, { config })
    const browser = await signedIn(gateway)
    const script = await browser.fetch(`${gateway.origin}/gold/x`, { from: gateway.origin })
    assert.equal(script.status, 401)
    assert.equal(JSON.parse(script.body).error, 'step_up')
    const token = await gateway.idp.mintAccessToken('ada', { audience: 'api', claims: { acr: '1' } })
    const client = await gateway
      .browser()
      .fetch(`${gateway.origin}/gold/x`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(client.status, 401)
    const challenge = client.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /error="insufficient_user_authentication"/)
    assert.match(challenge, /acr_values="gold"/)
  })

  test('that the provider does not grant ends on a page, not in a circle', async (t) => {
    const gateway = await startGateway(t, { config })
    const browser = await signedIn(gateway)
    const asking = await browser.navigate(`${gateway.origin}/gold/x`, { stopBefore: `${gateway.issuer}/auth` })
    // Lost on the way: to a provider that knows no such class, or by a person who edits the address.
    const asked = new URL(asking.headers.get('location')!)
    asked.searchParams.delete('claims')
    const visit = await browser.navigate(asked.href)
    assert.equal(visit.status, 403)
    assert.match(visit.text, /assurance level.* gold/)
    assert.ok(visit.url.startsWith(gateway.own('callback')))
    assert.equal((await browser.navigate(`${gateway.origin}/x`)).status, 200)
  })

  test('an old sign-in is asked for again, and the newer one is enough', async (t) => {
    const gateway = await startGateway(t, { config, session: { idle: '3h' } })
    const browser = await signedIn(gateway)
    assert.equal((await browser.navigate(`${gateway.origin}/fresh/x`)).status, 200)
    gateway.clock.move(1 * hours)
    const page = await browser.navigate(`${gateway.origin}/fresh/x`, { stopBefore: `${gateway.issuer}/auth` })
    const asked = new URL(page.headers.get('location')!)
    assert.equal(asked.searchParams.get('max_age'), '600')
    assert.equal((await browser.fetch(`${gateway.origin}/other`)).status, 200)
  })
})

describe('cross-site requests with a session', () => {
  const sources: readonly { readonly headers: Readonly<Record<string, string>>; readonly passes: boolean }[] = [
    { headers: {}, passes: false },
    { headers: { origin: 'SELF' }, passes: true },
    { headers: { 'sec-fetch-site': 'same-origin' }, passes: true },
    { headers: { 'sec-fetch-site': 'none' }, passes: true },
    { headers: { origin: 'https://partner.example' }, passes: true },
    { headers: { origin: 'https://evil.example' }, passes: false },
    { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, passes: false },
    { headers: { origin: 'null' }, passes: false },
    { headers: { 'sec-fetch-site': 'same-site' }, passes: false },
    { headers: { 'sec-fetch-site': 'cross-site' }, passes: false },
  ]

  test('may read, and change only from our origins and those of the route', async (t) => {
    const gateway = await startGateway(t, {
      config: ({ application }) => ({
        routes: [{ allow: 'signedIn', upstream: application, origins: ['https://partner.example'] }],
      }),
    })
    const cookie = (await signedIn(gateway)).cookies.header(new URL(gateway.origin))!
    const ask = async (method: string, headers: Readonly<Record<string, string>>) => {
      const body = method === 'GET' ? null : 'a=1'
      const answer = await request(`${gateway.origin}/x`, { method: method as 'GET', headers, body })
      await answer.body.dump()
      return answer.statusCode
    }
    for (const { headers, passes } of sources) {
      const sent = { cookie, ...headers, ...(headers.origin === 'SELF' && { origin: gateway.origin }) }
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
        assert.equal(await ask(method, sent), passes ? 200 : 403, `${method} ${JSON.stringify(headers)}`)
      }
      assert.equal(await ask('GET', sent), 200)
    }
  })
})

describe('CORS', () => {
  const cors = {
    origins: ['https://app.example'],
    methods: ['GET', 'PUT'],
    headers: ['content-type'],
    credentials: true,
  }
  const config = ({ application }: World) => ({
    routes: [
      { path: '/answer/*', allow: 'signedIn', upstream: application, cors },
      { path: '/pass/*', allow: 'signedIn', upstream: application, cors: { ...cors, preflight: 'pass' } },
      { allow: 'signedIn', upstream: application },
    ],
  })
  const preflight = { origin: 'https://app.example', 'access-control-request-method': 'PUT' }

  test('a preflight is answered here, or passed to the application without anybody', async (t) => {
    const gateway = await startGateway(t, { config })
    const client = gateway.browser()
    const ask = (path: string, headers: Readonly<Record<string, string>>) =>
      client.fetch(gateway.origin + path, { method: 'OPTIONS', headers })
    const answered = await ask('/answer/x', preflight)
    assert.equal(answered.status, 204)
    assert.equal(answered.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.match(answered.headers.get('access-control-allow-methods') ?? '', /PUT/)
    assert.equal(gateway.application.received.length, 0)
    assert.equal((await ask('/pass/x', preflight)).status, 200)
    assert.equal(gateway.application.last().headers['x-auth-user'], undefined)
    const before = gateway.application.received.length
    const { origin } = preflight
    for (const headers of [
      { ...preflight, origin: 'https://evil.example' },
      { origin },
      { ...preflight, origin: 'null' },
      { ...preflight, cookie: 'dw-00000000=x' },
      { ...preflight, authorization: 'Basic eDp4' },
    ]) {
      assert.equal((await ask('/pass/x', headers)).status, 401, JSON.stringify(headers))
    }
    assert.equal((await ask('/other', preflight)).status, 401)
    assert.equal(gateway.application.received.length, before)
  })

  test('a preflight never upgrades: it would be a tunnel for nobody', async (t) => {
    const gateway = await startGateway(t, { config })
    const { host } = new URL(gateway.origin)
    const head = `Host: ${host}\r\nOrigin: ${preflight.origin}\r\nAccess-Control-Request-Method: PUT\r\n`
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    for (const path of ['/answer/x', '/pass/x', '/other']) {
      const { answers } = await send(gateway.port, `OPTIONS ${path} HTTP/1.1\r\n${head}${upgrade}${key}\r\n`)
      assert.equal(answers[0]?.status, 401, path)
    }
    assert.equal(gateway.application.received.length, 0)
  })

  test('our 401 can be read by a page of an allowed origin, and by no other', async (t) => {
    const gateway = await startGateway(t, { config })
    const get = (origin: string) => gateway.browser().fetch(`${gateway.origin}/answer/x`, { headers: { origin } })
    const allowed = await get('https://app.example')
    assert.equal(allowed.status, 401)
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true')
    assert.match(allowed.headers.get('vary') ?? '', /origin/i)
    assert.equal((await get('https://evil.example')).headers.get('access-control-allow-origin'), null)
  })
})

describe('a form whose session ended', () => {
  test('is not sent, not kept and not replayed: a page says so, then sign-in leads back by GET', async (t) => {
    const gateway = await startGateway(t)
    const browser = await signedIn(gateway)
    gateway.clock.move(13 * hours)
    const before = gateway.application.received.length
    const visit = await browser.navigate(`${gateway.origin}/form?id=7`, {
      from: `${gateway.origin}/form`,
      form: { text: 'long words' },
    })
    assert.equal(visit.status, 401)
    assert.match(visit.text, /Your form was not sent/)
    assert.doesNotMatch(visit.body, /long words/)
    const page = await browser.click(visit, 'Sign in and open the page again')
    assert.equal(page.status, 200)
    const later = gateway.application.received.slice(before)
    assert.deepEqual(
      later.map(({ method }) => method),
      ['GET'],
    )
  })

  test('sent by a script gets 401 in JSON', async (t) => {
    const gateway = await startGateway(t)
    const visit = await gateway
      .browser()
      .fetch(`${gateway.origin}/form`, { method: 'POST', from: gateway.origin, body: '{}' })
    assert.equal(visit.status, 401)
    assert.ok(JSON.parse(visit.body).login_url)
    assert.equal(gateway.application.received.length, 0)
  })
})

test('a method the route does not list is 405, and never the next route', async (t) => {
  const gateway = await startGateway(t, {
    config: ({ application }) => ({
      routes: [
        { path: '/read/*', allow: 'public', methods: ['GET'], upstream: application },
        { allow: 'public', upstream: application },
      ],
    }),
  })
  const client = gateway.browser()
  assert.equal((await client.fetch(`${gateway.origin}/read/x`, { method: 'HEAD' })).status, 200)
  const visit = await client.fetch(`${gateway.origin}/read/x`, { method: 'POST' })
  assert.equal(visit.status, 405)
  assert.equal(visit.headers.get('allow'), 'GET, HEAD')
  assert.equal(gateway.application.received.length, 1)
})

test('an unknown host is 421, and so is a route that only an ingress may ask for', async (t) => {
  const gateway = await startGateway(t, {
    config: ({ application }) => ({
      forwardAuth: '127.0.0.1:0',
      routes: [
        { path: '/ingress/*', allow: 'public' },
        { allow: 'public', upstream: application },
      ],
    }),
  })
  const unknown = await gateway.browser().navigate(`http://other.test:${gateway.port}/`)
  assert.equal(unknown.status, 421)
  assert.match(unknown.text, /No such site here/)
  assert.equal((await gateway.browser().navigate(`http://other.test:${gateway.port}/_doorward/login`)).status, 421)
  const ingress = await gateway.browser().navigate(`${gateway.origin}/ingress/x`)
  assert.equal(ingress.status, 421)
  assert.match(ingress.text, /answered by the ingress/)
  assert.equal(gateway.application.received.length, 0)
})

test('an encoded slash passes untouched where a route says so, and nowhere else', async (t) => {
  const gateway = await startGateway(t, {
    config: ({ application }) => ({
      routes: [
        { path: '/api/*', allow: 'signedIn', upstream: application, encodedSlashes: 'keep' },
        { allow: 'signedIn', upstream: application },
      ],
    }),
  })
  const browser = await signedIn(gateway)
  assert.equal((await browser.fetch(`${gateway.origin}/api/projects/a%2Fb/raw`)).status, 200)
  assert.equal(gateway.application.last().url, '/api/projects/a%2Fb/raw')
  const before = gateway.application.received.length
  assert.equal((await browser.fetch(`${gateway.origin}/other/a%2Fb`)).status, 400)
  assert.equal((await browser.fetch(`${gateway.origin}/other/..%2Fapi/x`)).status, 400)
  assert.equal(gateway.application.received.length, before)
})

test('two providers: a chooser, one session, and "sign in as someone else" where a route wants the other', async (t) => {
  const gateway = await startGateway(t, {
    config: ({ issuer, application }) => ({
      provider: undefined,
      providers: {
        staff: { issuer, clientId: 'gateway', clientSecret: 'the-client-secret-of-the-journeys', label: 'Staff' },
        guests: { issuer, clientId: 'guests', clientSecret: 'the-secret-of-the-other-client-here', label: 'Guests' },
      },
      routes: [
        { path: '/guests/*', allow: 'signedIn', provider: 'guests', upstream: application },
        { allow: 'signedIn', upstream: application },
      ],
    }),
  })
  for (const [name, clientId, clientSecret] of [
    ['staff', 'gateway', 'the-client-secret-of-the-journeys'],
    ['guests', 'guests', 'the-secret-of-the-other-client-here'],
  ] as const) {
    const redirectUris = [gateway.own(`callback/${name}`)]
    await gateway.idp.addClient({
      clientId,
      clientSecret,
      redirectUris,
      postLogoutRedirectUris: [gateway.own('signed-out')],
    })
  }
  const browser = gateway.browser()
  const chooser = await browser.navigate(`${gateway.origin}/x?a=1`)
  assert.equal(chooser.status, 200)
  assert.match(chooser.text, /Sign in with Staff .*Sign in with Guests/)
  const page = await browser.click(chooser, 'Sign in with Staff')
  const visit = await browser.submit(page, { username: 'ada', password: 'ada' }, 'Sign in')
  assert.equal(visit.url, `${gateway.origin}/x?a=1`)
  const refused = await browser.navigate(`${gateway.origin}/guests/x`)
  assert.equal(refused.status, 403)
  assert.match(refused.text, /Signed in with Staff/)
  const other = await browser.click(refused, 'Sign in as someone else')
  const guest = await browser.submit(other, { username: 'bob', password: 'bob' }, 'Sign in')
  assert.equal(guest.url, `${gateway.origin}/guests/x`)
  assert.equal(guest.status, 200)
})
