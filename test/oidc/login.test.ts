import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { Secret } from '../../src/core/secret.ts'
import { beginLogin, finishLogin } from '../../src/oidc/login.ts'
import { failureOf, logIn, newTransaction, openWorld, redirectUri } from './journey.ts'

test('a login proves who it is', async (t) => {
  const world = await openWorld(t, { claimsKept: ['department'] })
  world.rogue.person.department = 'it'
  const { identity, tokens, sid } = await logIn(world)
  assert.deepEqual(identity, {
    provider: 'default',
    issuer: world.rogue.issuer,
    subject: 'alice-id',
    username: 'alice',
    email: 'alice@example.org',
    groups: ['/staff'],
    realmRoles: ['admin'],
    clientRoles: { gateway: ['editor'] },
    scopes: ['openid', 'profile', 'email'],
    acr: '1',
    authTime: identity.authTime,
    claims: { department: 'it' },
  })
  assert.equal(sid, 'sid-1')
  assert.ok(tokens.refreshToken !== undefined && tokens.idToken !== undefined && tokens.accessToken !== undefined)
  // By the token's own exp, in whole seconds that began before the answer came.
  const expires = tokens.accessExpiresAt! - world.clock.time
  assert.ok(expires > 298_000 && expires <= 300_000, `${expires} ms`)
  assert.deepEqual(world.rogue.calls, { discovery: 1, token: 1, userinfo: 0, jwks: 1 })
})

test('every login has PKCE S256, state and nonce of its own', async (t) => {
  const { provider } = await openWorld(t)
  const seen = new Set<string>()
  for (let n = 0; n < 100; n++) {
    const transaction = newTransaction()
    const { searchParams } = await beginLogin(provider, { redirectUri, ...transaction })
    assert.equal(searchParams.get('code_challenge_method'), 'S256')
    assert.equal(searchParams.get('response_type'), 'code')
    assert.equal(searchParams.get('redirect_uri'), redirectUri)
    for (const name of ['state', 'nonce', 'code_challenge']) seen.add(searchParams.get(name)!)
    assert.notEqual(searchParams.get('code_challenge'), transaction.codeVerifier)
  }
  assert.equal(seen.size, 300)
})

test('no parameter of the file or of a link replaces ours', async (t) => {
  const theirs = ['client_id', 'redirect_uri', 'response_type', 'response_mode', 'scope', 'state', 'nonce', 'request']
  const all = [...theirs, 'request_uri', 'code_challenge', 'code_challenge_method']
  const evil = Object.fromEntries(all.map((name) => [name, 'evil']))
  const { provider } = await openWorld(t, {
    authorizationParameters: { ...evil, audience: 'api' },
    allowedParameters: [...all, 'kc_idp_hint', 'login_hint', 'ui_locales'],
  })
  const url = await beginLogin(provider, {
    redirectUri,
    ...newTransaction(),
    parameters: { ...evil, kc_idp_hint: 'github', prompt: 'none', login_hint: 'x'.repeat(600), ui_locales: 'a\nb' },
  })
  assert.ok(!url.href.includes('evil'), url.href)
  const { searchParams } = url
  assert.equal(searchParams.get('audience'), 'api')
  assert.equal(searchParams.get('kc_idp_hint'), 'github')
  for (const dropped of ['prompt', 'login_hint', 'ui_locales']) assert.equal(searchParams.get(dropped), null)
})

test('step-up asks for acr as an essential claim, and for a fresh sign-in', async (t) => {
  const { provider } = await openWorld(t, { prompt: 'select_account' })
  const request = { redirectUri, ...newTransaction(), acr: ['gold', 'silver'], maxAge: 0 }
  const { searchParams } = await beginLogin(provider, request)
  assert.equal(searchParams.get('acr_values'), null)
  assert.deepEqual(JSON.parse(searchParams.get('claims')!), {
    id_token: { acr: { essential: true, values: ['gold', 'silver'] } },
  })
  assert.equal(searchParams.get('max_age'), '0')
  assert.equal(searchParams.get('prompt'), 'select_account')
  const again = await beginLogin(provider, { ...request, prompt: 'login' })
  assert.equal(again.searchParams.get('prompt'), 'login')
})

test('maxAge has to be proved, not only asked for', async (t) => {
  const world = await openWorld(t)
  assert.equal((await logIn(world, { maxAge: 60 })).identity.subject, 'alice-id')
  world.rogue.script.idTokenClaims = (claims) => ({ ...claims, auth_time: world.rogue.now() - 3600 })
  const old = await failureOf(logIn(world, { maxAge: 60 }))
  assert.deepEqual([old.code, old.reason], ['invalid_response', 'auth_time'])
  world.rogue.script.idTokenClaims = ({ auth_time: _, ...claims }) => claims
  assert.equal((await failureOf(logIn(world, { maxAge: 60 }))).code, 'invalid_response')
})

test('client authentication: each method as its specification says', async (t) => {
  const secret = new Secret('gateway secret +:%')
  const world = await openWorld(t)
  await logIn(world)
  const basic = Buffer.from(world.rogue.last.headers.authorization!.slice(6), 'base64').toString()
  // RFC 6749 2.3.1: form-encoded before it is joined.
  assert.equal(basic, 'gateway:gateway+secret+%2B%3A%25')

  const post = await openWorld(t, { clientAuth: { method: 'client_secret_post', secret } })
  await logIn(post)
  assert.equal(post.rogue.last.form.get('client_secret'), secret.reveal())

  const none = await openWorld(t, { clientAuth: { method: 'none' } })
  await logIn(none)
  assert.equal(none.rogue.last.form.get('client_id'), 'gateway')
  assert.equal(none.rogue.last.headers.authorization, undefined)
})

test('private_key_jwt: PEM or JWK, RSA or EC', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const cases = [
    { key: rsa.export({ type: 'pkcs8', format: 'pem' }), keyId: 'k', algorithm: 'PS256', expected: ['PS256', 'k'] },
    { key: rsa.export({ type: 'pkcs1', format: 'pem' }), expected: ['RS256', undefined] },
    { key: JSON.stringify({ ...ec.export({ format: 'jwk' }), kid: 'ec-1' }), expected: ['ES256', 'ec-1'] },
  ]
  for (const { key, keyId, algorithm, expected } of cases) {
    const clientAuth = { method: 'private_key_jwt' as const, key: new Secret(String(key)), keyId, algorithm }
    const world = await openWorld(t, { clientAuth })
    await logIn(world)
    const assertion = world.rogue.last.form.get('client_assertion')!
    const { alg, kid } = decodeProtectedHeader(assertion)
    assert.deepEqual([alg, kid], expected)
    const claims = decodeJwt(assertion)
    assert.deepEqual([claims.iss, claims.sub, claims.aud], ['gateway', 'gateway', world.rogue.issuer])
    assert.ok(claims.exp! - claims.iat! <= 60)
  }
})

test('a private key that cannot be read is an error at start that does not quote it', async (t) => {
  const clientAuth = {
    method: 'private_key_jwt' as const,
    key: new Secret('-----BEGIN PRIVATE KEY-----\nsesame\n-----END PRIVATE KEY-----'),
    keyId: undefined,
    algorithm: undefined,
  }
  await assert.rejects(openWorld(t, { clientAuth }), (error: Error) => !String(error.stack).includes('sesame'))
})

test('userinfo is asked for what the ID token lacks', async (t) => {
  const world = await openWorld(t, { claimsKept: ['department'] })
  const { rogue } = world
  const all = { ...rogue.person, department: 'it' }
  rogue.script.userinfo = () => ({ ...all, department: 'from userinfo', preferred_username: 'other' })
  rogue.person = all
  await logIn(world)
  assert.equal(rogue.calls.userinfo, 0)
  for (const missing of ['groups', 'email', 'department']) {
    rogue.script.idTokenClaims = (claims) =>
      Object.fromEntries(Object.entries(claims).filter(([name]) => name !== missing))
    const before: number = rogue.calls.userinfo
    const { identity } = await logIn(world)
    assert.equal(rogue.calls.userinfo, before + 1, missing)
    // The first source wins per claim.
    assert.equal(identity.username, 'alice')
    assert.deepEqual([identity.email, identity.groups], ['alice@example.org', ['/staff']])
  }
})

test('userinfo that refuses says nothing; one that is broken fails the login', async (t) => {
  const world = await openWorld(t)
  const { rogue } = world
  rogue.person = { sub: 'alice-id', preferred_username: 'alice' }
  rogue.script.accessToken = () => 'opaque'
  const challenge = {
    'www-authenticate': 'Bearer error="invalid_token", error_description="Token verification failed"',
  }
  rogue.script.raw = { userinfo: (response) => void response.writeHead(401, challenge).end() }
  assert.deepEqual((await logIn(world)).identity.groups, [])
  rogue.script.raw = { userinfo: (response) => void response.writeHead(403).end() }
  assert.deepEqual((await logIn(world)).identity.groups, [])
  rogue.script.raw = { userinfo: (response) => void response.writeHead(503).end() }
  assert.equal((await failureOf(logIn(world))).code, 'unreachable')
  rogue.script.raw = { userinfo: (response) => void response.socket?.destroy() }
  assert.equal((await failureOf(logIn(world))).code, 'unreachable')
})

test('roles come from an access token of this issuer, person and client alone', async (t) => {
  const world = await openWorld(t)
  const { rogue } = world
  const rolesWith = async () => (await logIn(world)).identity.realmRoles
  assert.deepEqual(await rolesWith(), ['admin'])
  for (const change of [{ azp: 'other' }, { sub: 'bob-id' }, { iss: 'https://evil.example' }, { exp: 1 }]) {
    rogue.script.accessTokenClaims = () => change
    assert.deepEqual(await rolesWith(), [], JSON.stringify(change))
  }
  rogue.script = { accessToken: (token) => `${token.slice(0, -20)}${'A'.repeat(20)}` }
  assert.deepEqual(await rolesWith(), [])
  rogue.script = { accessToken: () => 'opaque' }
  assert.deepEqual(await rolesWith(), [])
})

test('keys rotated just before signing are found', async (t) => {
  const world = await openWorld(t)
  await logIn(world)
  await world.rogue.rotateKeys()
  assert.equal((await logIn(world)).identity.subject, 'alice-id')
  assert.equal(world.rogue.calls.jwks, 2)
})

test('a code is redeemed once, whatever happens', async (t) => {
  const world = await openWorld(t, { timeout: 300 })
  const { rogue } = world
  const faults = [(response: { destroy(): void }) => response.destroy(), () => undefined]
  for (const fault of faults) {
    const before: number = rogue.calls.token
    rogue.script.raw = { token: (response) => fault(response) }
    await failureOf(logIn(world))
    assert.equal(rogue.calls.token, before + 1)
  }
})

test('without keys the code is not spent', async (t) => {
  const world = await openWorld(t)
  world.rogue.script.raw = { jwks: (response) => void response.writeHead(500).end() }
  const failure = await failureOf(logIn(world))
  assert.deepEqual([failure.code, failure.error], ['unreachable', 'provider_unreachable'])
  assert.equal(world.rogue.calls.token, 0)
})

test('a code of somebody else’s transaction is refused by PKCE', async (t) => {
  const { rogue, provider } = await openWorld(t)
  const mine = newTransaction()
  const theirs = newTransaction()
  const callback = rogue.authorize(await beginLogin(provider, { redirectUri, ...theirs }))
  callback.searchParams.set('state', mine.state)
  const failure = await failureOf(finishLogin(provider, callback, mine))
  assert.deepEqual([failure.code, failure.reason], ['code_rejected', 'invalid_grant'])
})
