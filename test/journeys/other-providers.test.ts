/** OpenID Connect providers other than Keycloak, each in its shape and with the trap people step into there. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Browser } from '../support/browser.ts'
import { minutes } from '../support/clock.ts'
import { type ConfigKeys, startGateway, type TestGateway, until } from '../support/gateway.ts'
import { type Json, openRogueProvider, type RogueProvider } from '../support/rogue-provider.ts'

interface Shape {
  /** Path of the issuer. */
  readonly path: string
  /** Members of the discovery document; undefined takes one away. */
  readonly discovery: Json
  readonly provider?: ConfigKeys
  /** As the file has it, where that is not the issuer. */
  readonly issuer?: (issuer: string) => string
  readonly routes?: readonly ConfigKeys[]
  /** Runs before the gateway starts. */
  readonly prepare?: (other: RogueProvider) => void
}

async function startBehind(t: TestContext, { path, discovery, provider, issuer, routes, prepare }: Shape) {
  const other = await openRogueProvider(path)
  t.after(other.close)
  other.script.discovery = (document) => ({ ...document, ...discovery })
  prepare?.(other)
  const gateway = await startGateway(t, {
    config: ({ application }) => ({
      provider: {
        issuer: issuer?.(other.issuer) ?? other.issuer,
        clientId: other.clientId,
        clientSecret: other.clientSecret,
        label: 'the other',
        ...provider,
      },
      routes: (routes ?? [{ allow: 'signedIn' }]).map((route) => ({ ...route, upstream: application })),
    }),
  })
  return { other, gateway }
}

/** From an address through the provider, which knows the browser already, and back. */
async function signInThrough(gateway: TestGateway, other: RogueProvider, browser: Browser, address = '/') {
  const page = await browser.navigate(`${gateway.origin}${address}`, { follow: 1 })
  const location = page.headers.get('location') ?? ''
  assert.ok(location.startsWith('http'), page.text)
  const asked = new URL(location)
  return { visit: await browser.navigate(other.authorize(asked).href), asked: asked.searchParams }
}

const notReady = async (gateway: TestGateway): Promise<string> => {
  const line = () => gateway.lines().find(({ msg }) => msg.startsWith('provider not ready'))
  await until(line, 'the log says why')
  return String(line()?.detail)
}

describe('Dex', () => {
  const discovery = {
    end_session_endpoint: undefined,
    authorization_response_iss_parameter_supported: undefined,
    userinfo_signing_alg_values_supported: undefined,
  }
  /** Groups and a refresh token for those alone who ask for them; userinfo has no groups. */
  const asDex = (other: RogueProvider, scopes: () => string) => {
    other.script.callback = (query) => query.delete('iss')
    other.script.idTokenClaims = ({ groups, acr: _, sid: __, ...claims }) =>
      scopes().includes('groups') ? { ...claims, groups } : claims
    // Its access token has a signature, and what it says is for Dex.
    other.script.accessTokenClaims = () => ({ groups: undefined, realm_access: undefined, resource_access: undefined })
    other.script.userinfo = ({ groups: _, ...claims }) => claims
    other.script.tokenBody = ({ refresh_token, ...body }) =>
      scopes().includes('offline_access') ? { ...body, refresh_token } : body
  }

  test('gives groups and a refresh token where both scopes are asked for; its own session goes on', async (t) => {
    const { gateway, other } = await startBehind(t, {
      path: '/api/dex',
      discovery,
      provider: { scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'] },
    })
    asDex(other, () => 'openid profile email groups offline_access')
    const browser = gateway.browser()
    const { visit, asked } = await signInThrough(gateway, other, browser)
    assert.equal(visit.status, 200, visit.text)
    assert.equal(asked.get('scope'), 'openid profile email groups offline_access')
    assert.equal(gateway.application.last().headers['x-auth-groups'], '/staff')
    const before = other.calls.token
    gateway.clock.move(6 * minutes)
    other.now = () => Math.floor(gateway.clock.now() / 1000)
    assert.equal((await browser.navigate(`${gateway.origin}/x`)).status, 200)
    assert.equal(other.calls.token, before + 1)
    assert.equal(gateway.application.last().headers['x-auth-groups'], '/staff')
    const out = await browser.navigate(gateway.own('logout'), { from: `${gateway.origin}/x`, form: {} })
    assert.match(out.text, /You may still be signed in at the other/)
  })

  test('without them the person has no groups, and signs in again when the tokens have run out', async (t) => {
    const { gateway, other } = await startBehind(t, { path: '/dex', discovery })
    asDex(other, () => 'openid profile email')
    const browser = gateway.browser()
    assert.equal((await signInThrough(gateway, other, browser)).visit.status, 200)
    assert.equal(gateway.application.last().headers['x-auth-groups'], undefined)
    gateway.clock.move(4 * minutes)
    assert.equal((await browser.navigate(`${gateway.origin}/x`)).status, 200)
    gateway.clock.move(2 * minutes)
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 401)
    assert.equal(other.calls.token, 1)
    const failed = gateway.lines().find(({ event }) => event === 'refresh_failed')
    assert.match(String(failed?.detail), /^the tokens ran out at .*, and no refresh token came with them/)
  })

  test('behind an ingress that puts a slash behind its discovery: found there', async (t) => {
    const { gateway, other } = await startBehind(t, {
      path: '/api/dex',
      discovery,
      prepare: ({ script }) => {
        script.raw = {
          discovery: (response, { url }) => {
            delete script.raw
            response.writeHead(308, { location: `${url}/` }).end()
          },
        }
      },
    })
    const { visit } = await signInThrough(gateway, other, gateway.browser())
    assert.equal(visit.status, 200)
    assert.equal(other.calls.discovery, 2)
  })

  test('behind an ingress that redirects its discovery elsewhere: told where it leads, and what to write', async (t) => {
    const { gateway, other } = await startBehind(t, {
      path: '/api/dex',
      discovery,
      prepare: ({ script }) => {
        const location = 'https://dex.example.com/api/dex/.well-known/openid-configuration'
        script.raw = { discovery: (response) => response.writeHead(308, { location }).end() }
      },
    })
    const place = `${other.issuer}/.well-known/openid-configuration`
    const leads = 'https://dex.example.com/api/dex/.well-known/openid-configuration'
    const why = `${place} answered 308, a redirect to ${leads}, which is never followed`
    assert.equal(
      await notReady(gateway),
      `${why}; set \`issuer: https://dex.example.com/api/dex\` if that is what its tokens say`,
    )
    assert.equal((await gateway.browser().navigate(`${gateway.origin}/`)).status, 503)
  })

  test('under a host name that is not the one in its tokens: both named, and the line to change', async (t) => {
    const { gateway, other } = await startBehind(t, {
      path: '/dex',
      discovery: { ...discovery, issuer: 'https://dex.example.com/dex' },
    })
    const line = 'set `issuer: https://dex.example.com/dex` if that is what its tokens say'
    const why = `invalid issuer: expected ${other.issuer}, got https://dex.example.com/dex; ${line}`
    assert.ok((await notReady(gateway)).startsWith(why))
  })
})

describe('authentik', () => {
  const discovery = { authorization_response_iss_parameter_supported: undefined }

  test('an issuer per application, whose last slash counts', async (t) => {
    const { gateway, other } = await startBehind(t, {
      path: '/application/o/grafana/',
      discovery,
      issuer: (issuer) => issuer.slice(0, -1),
    })
    const { issuer } = other
    const expected = `invalid issuer: expected ${issuer.slice(0, -1)}, got ${issuer}; set \`issuer: ${issuer}\` if`
    assert.ok((await notReady(gateway)).startsWith(expected))
    const visit = await gateway.browser().navigate(`${gateway.origin}/`)
    assert.equal(visit.status, 503)
    assert.doesNotMatch(visit.text, /invalid issuer/, 'the operator’s business')
  })

  test('groups come with profile; an address it does not call verified does not count', async (t) => {
    const routes = [{ path: '/mail/*', allow: { emailDomains: ['example.org'] } }, { allow: { groups: ['admins'] } }]
    const shape = { path: '/application/o/grafana/', discovery, routes }
    for (const [provider, status] of [
      [{}, 403],
      [{ trustUnverifiedEmail: true }, 200],
    ] as const) {
      const { gateway, other } = await startBehind(t, { ...shape, provider })
      other.person = { ...other.person, groups: ['admins', 'authentik Admins'], email_verified: false }
      other.script.callback = (query) => query.delete('iss')
      const browser = gateway.browser()
      const { visit, asked } = await signInThrough(gateway, other, browser)
      assert.equal(visit.status, 200, visit.text)
      assert.equal(asked.get('scope'), 'openid profile email')
      assert.equal(gateway.application.last().headers['x-auth-groups'], 'admins,authentik Admins')
      assert.equal((await browser.navigate(`${gateway.origin}/mail/`)).status, status)
    }
  })
})

test('Cloudflare Access as a provider: no word about the address, and no end of its session', async (t) => {
  const clientId = 'f1b2a3c4d5e6'
  for (const trusted of [false, true]) {
    const { gateway, other } = await startBehind(t, {
      path: `/cdn-cgi/access/sso/oidc/${clientId}`,
      discovery: { end_session_endpoint: undefined, authorization_response_iss_parameter_supported: undefined },
      provider: { trustUnverifiedEmail: trusted },
    })
    other.person = { sub: '7335d417-61da-459d-899c-0a01c76a2f94', email: 'ada@example.com', groups: ['staff'] }
    other.script.callback = (query) => query.delete('iss')
    // Opaque, and without the claims of an access token of Keycloak.
    other.script.accessToken = () => 'oauth-access-token-of-cloudflare'
    const browser = gateway.browser()
    const { visit } = await signInThrough(gateway, other, browser)
    assert.equal(visit.status, 200, visit.text)
    const { headers } = gateway.application.last()
    assert.equal(headers['x-auth-email'], trusted ? 'ada@example.com' : undefined)
    assert.equal(headers['x-auth-groups'], 'staff')
  }
})

test('Google: the domain of an organisation is `hd`, not the end of an address', async (t) => {
  const { gateway, other } = await startBehind(t, {
    path: '',
    discovery: { end_session_endpoint: undefined, authorization_response_iss_parameter_supported: undefined },
    provider: { parameters: { hd: 'example.com', access_type: 'offline' } },
    routes: [{ allow: { claims: { hd: 'example.com' } } }],
  })
  other.script.callback = (query) => query.delete('iss')
  other.script.accessToken = () => 'ya29.opaque'
  const google = { sub: '110169484474386276334', name: 'Ada', email: 'ada@example.com', email_verified: true }
  other.person = { ...google, hd: 'example.com' }
  const browser = gateway.browser()
  const { visit, asked } = await signInThrough(gateway, other, browser)
  assert.equal(visit.status, 200, visit.text)
  assert.equal(asked.get('hd'), 'example.com', 'a hint for the page there, no proof')
  assert.equal(gateway.application.last().headers['x-auth-user'], '110169484474386276334')
  // A private account with an address of the company, verified once and kept by whoever left.
  other.person = google
  assert.equal((await signInThrough(gateway, other, gateway.browser())).visit.status, 403)
})
