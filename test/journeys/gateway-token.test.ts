/** A gateway in front that signs who it is (Cloudflare Access): believed by its signature, and by nothing else. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { hours } from '../support/clock.ts'
import { startCloudflareAccess } from '../support/cloudflare-access.ts'
import { type ConfigKeys, type GatewayOptions, signedIn, startGateway } from '../support/gateway.ts'
import { openWebSocket } from '../support/websocket.ts'

const name = 'cf-access-jwt-assertion'

async function startBehindAccess(t: TestContext, more: ConfigKeys = {}, options: GatewayOptions = {}) {
  const access = await startCloudflareAccess()
  t.after(access.close)
  const gateway = await startGateway(t, {
    ...options,
    config: ({ issuer, application }) => ({
      trustedProxies: ['127.0.0.1'],
      forwardAuth: '127.0.0.1:0',
      bearer: [
        {
          header: 'Cf-Access-Jwt-Assertion',
          issuer: access.issuer,
          audience: access.audience,
          jwksUrl: access.certs,
          trustUnverifiedEmail: true,
        },
        { header: 'X-Edge-Proof', issuer: access.issuer, audience: access.audience, jwksUrl: access.certs },
        { issuer, audience: 'api' },
      ],
      routes: [
        { path: '/public/*', allow: 'public', upstream: application },
        { path: '/optional/*', allow: 'optional', upstream: application },
        { path: '/mail/*', allow: { emailDomains: ['example.com'] }, upstream: application },
        { path: '/own/*', allow: 'signedIn', provider: 'default', upstream: application },
        { path: '/strong/*', allow: { acr: ['gold'] }, upstream: application },
        { path: '/machines/*', allow: 'signedIn', accept: ['bearer'], upstream: application },
        { path: '/api/*', allow: 'signedIn', accept: ['session', 'bearer'], upstream: application },
        { allow: 'signedIn', upstream: application },
      ],
      ...more,
    }),
  })
  return { gateway, access }
}

describe('a token of the gateway in front', () => {
  test('signs people in without a second login, and never reaches the application', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const browser = gateway.browser()
    const headers = { [name]: await access.token() }
    for (const path of ['/x', '/mail/', '/api/x', '/optional/']) {
      const visit = await browser.navigate(gateway.origin + path, { headers, follow: 0 })
      assert.equal(visit.status, 200, path)
      const { headers: received, rawHeaders } = gateway.application.last()
      assert.equal(received['x-auth-subject'], '7335d417-61da-459d-899c-0a01c76a2f94')
      assert.equal(received['x-auth-email'], 'ada@example.com')
      assert.doesNotMatch(rawHeaders.join('\n'), /cf-access|eyJ/i)
      assert.equal(visit.headers.get('set-cookie'), null)
    }
    assert.equal(access.keyCalls, 1)
    await browser.navigate(`${gateway.origin}/public/x`, { headers })
    const { headers: received } = gateway.application.last()
    assert.equal(received[name], undefined)
    assert.equal(received['x-auth-subject'], undefined)
    assert.doesNotMatch(gateway.logText(), /eyJ/)
  })

  test('is taken off every request, whatever the file calls its header', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const browser = gateway.browser()
    const headers = { 'X-Edge-Proof': await access.token(), x_edge_proof: 'forged' }
    for (const path of ['/x', '/public/x']) {
      assert.equal((await browser.fetch(gateway.origin + path, { headers })).status, 200)
      assert.doesNotMatch(gateway.application.last().rawHeaders.join('\n'), /edge.proof/i)
    }
  })

  test('that does not count is the whole answer: no cookie beside it mends it', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const browser = await signedIn(gateway)
    const [other, good] = [await startCloudflareAccess(), await access.token()]
    t.after(other.close)
    const seconds = Math.floor(Date.now() / 1000)
    const bad: readonly (readonly [string, string, RegExp])[] = [
      ['x', 'nonsense', /not a JWT/],
      [`${good}, ${good}`, 'two of them', /not a JWT/],
      [await access.token({ aud: ['another'] }), 'another application', /invalid audience: expected 4714/],
      [await access.token({ exp: seconds - 60 }), 'expired', /expired/],
      [await other.token(), 'another team', /invalid issuer: expected http.*, got http/],
      [await other.token({ iss: access.issuer }), 'forged', /key|signature/i],
      [await access.token({ sub: '', common_name: 'e367826f93b8d71185e03fe518aa3fd8.access' }), 'a service', /sub/],
      [await gateway.idp.mintAccessToken('ada', { audience: 'api' }), 'an API token here', /invalid issuer/],
    ]
    for (const [token, what, said] of bad) {
      for (const path of ['/x', '/optional/']) {
        const visit = await browser.fetch(gateway.origin + path, { headers: { [name]: token } })
        assert.equal(visit.status, 401, `${what} ${path}`)
        assert.match(visit.text, said, what)
        assert.ok(visit.headers.get('www-authenticate'))
      }
      const page = await browser.navigate(`${gateway.origin}/x`, { headers: { [name]: token }, follow: 0 })
      assert.equal(page.status, 401, what)
      assert.match(page.text, /proof of sign-in that the gateway in front sent is not valid/)
    }
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200, 'without it the session counts')
  })

  test('counts in its own header alone, even once it is known', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const token = await access.token()
    const browser = gateway.browser()
    assert.equal((await browser.fetch(`${gateway.origin}/x`, { headers: { [name]: token } })).status, 200)
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { authorization: `Bearer ${name} ${token}` },
      { cf_access_jwt_assertion: token },
      { 'x-amzn-oidc-data': token },
    ]) {
      assert.equal((await browser.fetch(`${gateway.origin}/api/x`, { headers })).status, 401, JSON.stringify(headers))
    }
    assert.equal((await browser.fetch(`${gateway.origin}/machines/x`, { headers: { [name]: token } })).status, 401)
  })

  test('does not stand for a sign-in with a named provider, nor for a stronger one', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const headers = { [name]: await access.token() }
    const browser = await signedIn(gateway)
    assert.equal((await browser.fetch(`${gateway.origin}/own/`, { headers })).status, 200)
    assert.equal(gateway.application.last().headers['x-auth-user'], 'ada', 'the session’s')
    const nobody = gateway.browser()
    assert.equal((await nobody.navigate(`${gateway.origin}/own/`, { headers, follow: 0 })).status, 302)
    const strong = await nobody.navigate(`${gateway.origin}/strong/`, { headers, follow: 0 })
    assert.equal(strong.status, 403)
    assert.match(strong.text, /gold/)
  })

  test('comes along with whatever a browser sends, so an unsafe request needs an origin', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const browser = gateway.browser()
    const headers = { [name]: await access.token() }
    const post = (more: Record<string, string>) =>
      browser.fetch(`${gateway.origin}/x`, { method: 'POST', headers: { ...headers, ...more }, body: '{}' })
    assert.equal((await post({ origin: gateway.origin })).status, 200)
    for (const foreign of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const refused = await post(foreign)
      assert.equal(refused.status, 403, JSON.stringify(foreign))
    }
    assert.equal((await fetch(`${gateway.origin}/x`, { method: 'DELETE', headers })).status, 403, 'nobody can tell')
    const open = await openWebSocket(t, `${gateway.origin}/ws`, { ...headers, origin: gateway.origin })
    assert.equal(open.kind, 'open')
    for (const origin of ['https://evil.example', undefined]) {
      const tried = await openWebSocket(t, `${gateway.origin}/ws`, { ...headers, ...(origin && { origin }) })
      assert.equal(tried.kind === 'open' ? 'open' : tried.status, 403)
    }
  })

  test('that expires is noticed, cached or not', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const headers = { [name]: await access.token() }
    const browser = gateway.browser()
    assert.equal((await browser.fetch(`${gateway.origin}/x`, { headers })).status, 200)
    gateway.clock.move(25 * hours)
    assert.equal((await browser.fetch(`${gateway.origin}/x`, { headers })).status, 401)
  })

  test('counts in forward-auth too, and the ingress is told to empty the header', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const { host } = new URL(gateway.origin)
    const ask = async (headers: Record<string, string>, uri = '/x') =>
      fetch(new URL('/auth/traefik', gateway.server.addresses.forwardAuth), {
        redirect: 'manual',
        headers: {
          'x-forwarded-method': 'GET',
          'x-forwarded-proto': 'http',
          'x-forwarded-host': host,
          'x-forwarded-uri': uri,
          ...headers,
        },
      })
    const yes = await ask({ [name]: await access.token() })
    assert.equal(yes.status, 200)
    assert.equal(yes.headers.get('x-auth-email'), 'ada@example.com')
    assert.equal(yes.headers.get(name), '')
    assert.equal((await ask({ [name]: 'x' })).status, 401)
    assert.equal((await ask({})).status, 401)
    const open = await ask({ [name]: 'x' }, '/public/x')
    assert.equal(open.status, 200)
    assert.equal(open.headers.get(name), '')
  })

  test('is enough without any provider, and without it nobody gets in', async (t) => {
    const { gateway, access } = await startBehindAccess(t, {
      provider: undefined,
      routes: [{ allow: 'signedIn', respond: { body: 'in' } }],
    })
    const browser = gateway.browser()
    const headers = { [name]: await access.token() }
    assert.equal((await browser.navigate(`${gateway.origin}/x`, { headers })).status, 200)
    for (const more of [{}, { [name]: '' }]) {
      const visit = await browser.navigate(`${gateway.origin}/x`, { headers: more, follow: 0 })
      assert.equal(visit.status, 401)
    }
  })

  test('whose keys cannot be had is 503, and no cookie is asked instead', async (t) => {
    const { gateway, access } = await startBehindAccess(t)
    const headers = { [name]: await access.token() }
    const browser = await signedIn(gateway)
    await access.close()
    assert.equal((await browser.fetch(`${gateway.origin}/x`, { headers })).status, 503)
  })
})
