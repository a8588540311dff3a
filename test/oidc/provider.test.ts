import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { endSessionUrl } from '../../src/oidc/end-session.ts'
import { beginLogin } from '../../src/oidc/login.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { logIn, newTransaction, openWorld, providerConfig, redirectUri } from './journey.ts'

const begin = (provider: Parameters<typeof beginLogin>[0]) => beginLogin(provider, { redirectUri, ...newTransaction() })

test('nothing is asked until somebody needs it, and then once', async (t) => {
  const { rogue, provider } = await openWorld(t)
  assert.equal(provider.state().ready, false)
  assert.equal(provider.authorizationOrigin(), undefined)
  await Promise.all(Array.from({ length: 20 }, () => begin(provider)))
  assert.equal(rogue.calls.discovery, 1)
  const origin = new URL(rogue.issuer).origin
  assert.deepEqual([provider.authorizationOrigin(), provider.endSessionOrigin()], [origin, origin])
})

test('a provider that comes up later is found; askers in between do not pile up on it', async (t) => {
  const { rogue, provider, clock } = await openWorld(t)
  rogue.script.raw = { discovery: (response) => void response.writeHead(503).end() }
  for (let n = 0; n < 20; n++) await assert.rejects(begin(provider), { code: 'provider_unreachable', status: 503 })
  assert.equal(rogue.calls.discovery, 1)
  const { ready, detail } = provider.state()
  assert.ok(!ready && detail?.includes('answered 503'))
  rogue.script = {}
  clock.time += 1000
  await logIn({ rogue, provider, clock })
  assert.equal(provider.state().ready, true)
})

test('warm-up finds discovery and keys by itself', async (t) => {
  const { provider } = await openWorld(t)
  provider.warmUp()
  provider.warmUp()
  const deadline = Date.now() + 5000
  while (!provider.state().ready && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual([provider.state().ready, provider.state().detail], [true, undefined])
})

test('old metadata is renewed in the background, and goes on where that fails', async (t) => {
  const warnings: string[] = []
  const world = await openWorld(t, {}, { ...silentLog, warn: (_, message) => void warnings.push(message) })
  const { rogue, provider, clock } = world
  await begin(provider)
  rogue.script.discovery = (document) => ({ ...document, issuer: 'https://evil.example' })
  // Told, since nobody who asks would notice.
  clock.time += 2 * 3_600_000
  rogue.now = () => Math.floor(clock.time / 1000)
  assert.equal((await begin(provider)).origin, new URL(rogue.issuer).origin)
  await logIn(world)
  assert.equal(rogue.calls.discovery, 2)
  assert.deepEqual(warnings, ['not renewed, the last good one goes on'])
})

test('a pinned authorization endpoint off loopback has to be https', async (t) => {
  const { rogue, clock } = await openWorld(t)
  const authorization = new URL('http://idp.example/auth')
  const endpoints = { ...providerConfig(rogue).endpoints, authorization }
  const open = () =>
    openProvider({ ...providerConfig(rogue), endpoints }, { clock, log: silentLog, allowInsecureHttp: false })
  assert.throws(open, /plain http/)
})

test('an issuer that differs by a letter is refused, with both and the line to change', async (t) => {
  const { rogue, provider } = await openWorld(t)
  rogue.script.discovery = (document) => ({ ...document, issuer: `${document.issuer}/` })
  await assert.rejects(begin(provider), (error: Error) =>
    error.message.startsWith(
      `invalid issuer: expected ${rogue.issuer}, got ${rogue.issuer}/; set \`issuer: ${rogue.issuer}/\``,
    ),
  )
})

test('discovery that is garbage is unreachable, never a crash', async (t) => {
  const { rogue, provider, clock } = await openWorld(t)
  const bodies = ['', '<html>', '[]', '"x"', '{"issuer":', `{"a":"${'x'.repeat(2_000_000)}"}`]
  for (const body of [...bodies, `{"issuer":"${rogue.issuer}","issuer":"${rogue.issuer}"}`]) {
    clock.time += 60_000
    rogue.script.raw = { discovery: (response) => void response.end(body) }
    await assert.rejects(begin(provider), { code: 'provider_unreachable' }, body.slice(0, 50))
  }
  const documents = [
    { token_endpoint: undefined },
    { authorization_endpoint: 'not a url' },
    { authorization_endpoint: 'javascript:alert(1)' },
    { token_endpoint: 'http://evil.example/token' },
    { jwks_uri: 7 },
    { code_challenge_methods_supported: [] },
  ]
  for (const change of documents) {
    clock.time += 60_000
    rogue.script = { discovery: (document) => ({ ...document, ...change }) }
    await assert.rejects(begin(provider), { code: 'provider_unreachable' }, JSON.stringify(change))
  }
  rogue.script = {}
  clock.time += 60_000
  await begin(provider)
})

test('pins win over discovery; with all of them it is not asked', async (t) => {
  const first = await openWorld(t)
  const { issuer } = first.rogue
  const endpoints = {
    authorization: new URL(`${issuer}/pinned`),
    token: undefined,
    userinfo: undefined,
    endSession: undefined,
  }
  const partly = openProvider(
    { ...providerConfig(first.rogue), endpoints },
    { clock: first.clock, log: silentLog, allowInsecureHttp: false },
  )
  t.after(partly.close)
  assert.equal((await begin(partly)).pathname, '/realms/main/pinned')
  assert.equal(first.rogue.calls.discovery, 1)

  const at = (path: string) => new URL(`${issuer}/${path}`)
  const all = { authorization: at('auth'), token: at('token'), userinfo: at('userinfo'), endSession: at('logout') }
  const config = { ...providerConfig(first.rogue), endpoints: all, jwksUrl: at('certs') }
  const provider = openProvider(config, { clock: first.clock, log: silentLog, allowInsecureHttp: false })
  t.after(provider.close)
  assert.ok(provider.authorizationOrigin() !== undefined)
  await logIn({ ...first, provider })
  assert.equal(first.rogue.calls.discovery, 1)
})

test('internalUrl changes the wire and nothing else', async (t) => {
  const { rogue, clock } = await openWorld(t)
  const internalUrl = new URL(rogue.issuer).origin
  const port = new URL(internalUrl).port
  // Nobody listens at the public name: only the rewritten calls can arrive.
  const issuer = 'https://sso.example.test/realms/main'
  rogue.script.discovery = (document) => ({
    ...JSON.parse(JSON.stringify(document).replaceAll(rogue.issuer, issuer)),
    authorization_response_iss_parameter_supported: false,
  })
  rogue.script.callback = (query) => query.set('iss', issuer)
  rogue.script.idTokenClaims = (claims) => ({ ...claims, iss: issuer })
  const config = { ...providerConfig(rogue), issuer, internalUrl: new URL(`http://localhost:${port}`) }
  const provider = openProvider(config, { clock, log: silentLog, allowInsecureHttp: false })
  t.after(provider.close)
  const { identity } = await logIn({ rogue, provider, clock })
  assert.equal(identity.issuer, issuer)
  assert.equal(provider.authorizationOrigin(), 'https://sso.example.test')
})

test('end session: hint, client and return address', async (t) => {
  const { rogue, provider } = await openWorld(t)
  const request = {
    idToken: 'a.b.c',
    postLogoutRedirectUri: 'https://app.example.com/_doorward/signed-out',
    state: 's',
  }
  // Never reached: our own session ends regardless.
  assert.equal(endSessionUrl(provider, request), undefined)
  await begin(provider)
  const url = endSessionUrl(provider, request)!
  assert.equal(url.origin + url.pathname, `${rogue.issuer}/logout`)
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    client_id: 'gateway',
    post_logout_redirect_uri: request.postLogoutRedirectUri,
    state: 's',
    id_token_hint: 'a.b.c',
  })
  const long = endSessionUrl(provider, { ...request, idToken: 'a'.repeat(5000) })!
  assert.equal(long.searchParams.get('id_token_hint'), null)
  assert.equal(long.searchParams.get('client_id'), 'gateway')
})
