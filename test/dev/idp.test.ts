import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { type Idp, type IdpClient, startIdp } from '../../src/dev/idp.ts'
import { createBrowser, signIn, type Visit } from '../support/browser.ts'

const app: IdpClient = { clientId: 'app', clientSecret: 'a secret of the tests, long enough' }

// First in the file: oidc-provider says most things once per process.
test('it keeps quiet', async (t) => {
  const said: unknown[] = []
  for (const name of ['info', 'warn', 'error', 'log'] as const)
    t.mock.method(console, name, (line: unknown) => said.push(line))
  const { browser, start, finish } = await world(t)
  await finish(await signIn(browser, await browser.navigate((await start()).href), 'ada'))
  assert.deepEqual(said, [])
})

test('a code flow with PKCE: login, claims as Keycloak spells them, SSO, refresh with rotation, logout', async (t) => {
  const { idp, browser, start, finish, callback } = await world(t)
  const login = await browser.navigate((await start()).href)
  assert.match(login.text, /Who are you today\?.*Ada Lovelace/)
  const tokens = await finish(await signIn(browser, login, 'ada'))
  const claims = tokens.claims()!
  assert.equal(claims.iss, idp.issuer)
  assert.equal(claims.preferred_username, 'ada')
  assert.deepEqual(claims.groups, ['/staff', '/admins'])
  assert.deepEqual(claims.realm_access, { roles: ['admin'] })
  assert.deepEqual(claims.resource_access, { demo: { roles: ['editor'] } })
  assert.equal(claims.email_verified, true)
  assert.ok(claims.auth_time)

  const again = await browser.navigate((await start()).href)
  assert.equal(new URL(again.url).pathname, '/callback', 'the provider remembers who signed in')
  const second = await finish(again)

  const config = await discover(idp)
  const info = await client.fetchUserInfo(config, second.access_token, claims.sub)
  assert.deepEqual(info.groups, ['/staff', '/admins'])
  idp.accounts.change('ada', { groups: ['/staff'] })
  const renewed = await client.refreshTokenGrant(config, second.refresh_token!)
  assert.deepEqual(renewed.claims()!.groups, ['/staff'])
  assert.notEqual(renewed.refresh_token, second.refresh_token)
  await assert.rejects(client.refreshTokenGrant(config, second.refresh_token!), { error: 'invalid_grant' })

  const third = await finish(await browser.navigate((await start()).href))
  const leave = client.buildEndSessionUrl(config, {
    id_token_hint: third.id_token!,
    post_logout_redirect_uri: `${callback}/bye`,
    state: 'from-us',
  })
  assert.match((await browser.navigate(leave.href)).url, /\/callback\/bye\?state=from-us$/)
  assert.equal(browser.cookies.get('demo_idp_session'), undefined)
  assert.match((await browser.navigate((await start()).href)).text, /Who are you today/)
})

test('without a hint logout asks; a wrong password does not sign in; PKCE is not optional', async (t) => {
  const { idp, browser, start, callback } = await world(t)
  const login = await browser.navigate((await start()).href)
  const wrong = await signIn(browser, login, 'ada', 'not it')
  assert.equal(wrong.status, 401)
  assert.match(wrong.text, /do not belong together/)
  await browser.click(wrong, 'Bob Wheeler (/staff)')
  const query = new URLSearchParams({ client_id: 'app', post_logout_redirect_uri: `${callback}/bye` })
  const question = await browser.navigate(`${idp.issuer}/session/end?${query}`)
  assert.match((await browser.click(question, 'Sign out')).url, /\/callback\/bye$/)
  const plain = new URLSearchParams({
    client_id: 'app',
    response_type: 'code',
    scope: 'openid',
    redirect_uri: callback,
  })
  assert.match((await browser.navigate(`${idp.issuer}/auth?${plain}`)).url, /error=invalid_request.*PKCE/i)
})

test('step-up: an essential acr is asked for once more and reached', async (t) => {
  const { browser, start, finish } = await world(t)
  const first = await finish(await signIn(browser, await browser.navigate((await start()).href), 'ada'))
  assert.notEqual(first.claims()!.acr, 'gold')
  const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['gold'] } } })
  const asked = await browser.navigate((await start({ claims })).href)
  assert.equal((await finish(await signIn(browser, asked, 'ada'))).claims()!.acr, 'gold')
})

test('an access token is a JWT for its audience; minted ones verify too', async (t) => {
  const { idp } = await world(t)
  await idp.addClient({
    clientId: 'robot',
    clientSecret: 'another secret of the tests',
    audience: 'demo-api',
    machine: true,
  })
  const config = await discover(idp, 'robot', 'another secret of the tests')
  const { access_token } = await client.clientCredentialsGrant(config)
  const keys = createRemoteJWKSet(new URL(`${idp.issuer}/jwks`))
  const expected = { issuer: idp.issuer, audience: 'demo-api', typ: 'at+jwt' }
  await jwtVerify(access_token, keys, expected)
  const minted = await idp.mintAccessToken('bob', { audience: 'demo-api', claims: { scope: 'read' } })
  const { payload } = await jwtVerify(minted, keys, expected)
  assert.deepEqual([payload.preferred_username, payload.scope], ['bob', 'read'])
  const stale = await idp.mintAccessToken('bob', { audience: 'demo-api', expiresIn: -60 })
  assert.ok(decodeJwt(stale).exp! < Date.now() / 1000)
})

test('knobs: counting, failing, ending everything; loopback alone', async (t) => {
  const { idp, browser, start, finish } = await world(t)
  const tokens = await finish(await signIn(browser, await browser.navigate((await start()).href), 'bob'))
  const config = await discover(idp)
  assert.equal(idp.counts.token, 1)
  idp.fail(503, ['token'])
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token!))
  assert.equal(idp.counts.token, 2)
  idp.fail(undefined)
  idp.revokeAll()
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token!), { error: 'invalid_grant' })
  await assert.rejects(startIdp({ host: '0.0.0.0' }), /loopback alone/)
})

async function world(t: TestContext) {
  const landing = createServer((_request, response) => response.end('landed'))
  await new Promise<void>((resolve) => landing.listen(0, '127.0.0.1', resolve))
  const callback = `http://127.0.0.1:${(landing.address() as AddressInfo).port}/callback`
  const clients = [{ ...app, redirectUris: [callback], postLogoutRedirectUris: [`${callback}/bye`] }]
  const idp = await startIdp({ host: 'localhost', clients })
  const browser = createBrowser()
  t.after(async () => {
    await browser.close()
    await idp.close()
    landing.close()
  })

  const flows = new Map<string, string>()
  const start = async (more: Record<string, string> = {}) => {
    const [state, verifier] = [client.randomState(), client.randomPKCECodeVerifier()]
    flows.set(state, verifier)
    const code_challenge = await client.calculatePKCECodeChallenge(verifier)
    const parameters = { redirect_uri: callback, scope: 'openid profile email', code_challenge_method: 'S256' }
    return client.buildAuthorizationUrl(await discover(idp), { ...parameters, state, code_challenge, ...more })
  }
  const finish = async ({ url }: Visit) => {
    const expectedState = new URL(url).searchParams.get('state')!
    const checks = { expectedState, pkceCodeVerifier: flows.get(expectedState)! }
    return client.authorizationCodeGrant(await discover(idp), new URL(url), checks)
  }
  return { idp, browser, callback, start, finish }
}

const discover = (idp: Idp, id = app.clientId, secret = app.clientSecret!) =>
  client.discovery(new URL(idp.issuer), id, undefined, client.ClientSecretBasic(secret), {
    execute: [client.allowInsecureRequests],
  })
