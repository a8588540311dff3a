/** The list `oidcCallback` of the attack corpus, and the modules of the OpenID conformance suite for a client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoginFailure } from '../../src/oidc/failure.ts'
import { longestExpiresIn } from '../../src/oidc/token-response.ts'
import { corpus } from '../support/corpus.ts'
import { forge, generateSigningKey, type Json, type Script } from '../support/rogue-provider.ts'
import { failureOf, logIn, openWorld } from './journey.ts'

type Change = (query: URLSearchParams) => void

/** What the browser brings back, bent. No code of these may reach the token endpoint. */
const callbacks: Record<string, Change | readonly Change[]> = {
  'no-params': (query) => clear(query),
  'code-missing': (query) => query.delete('code'),
  'state-missing': (query) => query.delete('state'),
  'state-unknown': (query) => query.set('state', 'another'),
  'state-duplicate': [(query) => query.append('state', 'evil'), (query) => putFirst(query, 'state', 'evil')],
  'code-duplicate': [(query) => query.append('code', 'evil'), (query) => putFirst(query, 'code', 'evil')],
  'iss-duplicate': [
    (query) => query.append('iss', 'https://evil.example'),
    (query) => query.append('iss', query.get('iss')!),
  ],
  // RP-12: any parameter, not only those the library reads.
  'session-state-duplicate': (query) => {
    query.append('session_state', 'a')
    query.append('session_state', 'b')
  },
  'case-params': (query) => {
    const [code, state] = [query.get('code')!, query.get('state')!]
    clear(query)
    query.set('Code', code)
    query.set('STATE', state)
  },
  'semicolon-separator': (query) => {
    const value = `${query.get('code')};state=${query.get('state')}`
    query.delete('state')
    query.set('code', value)
  },
  'state-forged': [
    (query) => query.set('state', `${query.get('state')}A`),
    (query) => query.set('state', query.get('state')!.slice(0, -1)),
    (query) => query.set('state', query.get('state')!.toUpperCase()),
    (query) => query.set('state', ''),
  ],
  'state-huge': [
    (query) => query.set('state', 'a'.repeat(65_536)),
    (query) => query.set('state', 'a'.repeat(1_048_576)),
  ],
  'iss-missing-advertised': (query) => query.delete('iss'),
  'iss-wrong': (query) => query.set('iss', 'https://evil.example'),
  'iss-slash': (query) => query.set('iss', `${query.get('iss')}/`),
  'mix-up-two-idps': (query) => query.set('iss', 'https://other-idp.example/realms/main'),
  'error-no-state': (query) => {
    clear(query)
    query.set('error', 'access_denied')
  },
  'error-and-code': (query) => query.set('error', 'access_denied'),
  jarm: (query) => query.set('response', 'eyJhbGciOiJub25lIn0.e30.'),
}

function clear(query: URLSearchParams): void {
  for (const name of [...query.keys()]) query.delete(name)
}

function putFirst(query: URLSearchParams, name: string, value: string): void {
  const rest = [...query]
  clear(query)
  for (const [key, one] of [[name, value], ...rest] as [string, string][]) query.append(key, one)
}

/** What the provider answers, bent, and what comes of it. */
const answers: Record<string, { script: Script; code?: LoginFailure['code']; reason?: string }> = {
  'nonce-mismatch': { script: claimsChanged({ nonce: 'other' }), reason: 'id_token_claim' },
  'id-token-missing': { script: bodyChanged({ id_token: undefined }) },
  'id-token-bad-sig': { script: { idToken: (token) => `${token.slice(0, -10)}AAAAAAAAAA` } },
  'id-token-none': { script: { idToken: (_, claims) => forge({ alg: 'none' }, claims, '') } },
  'access-token-missing': { script: bodyChanged({ access_token: undefined }) },
  'at-hash-mismatch': { script: claimsChanged({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), reason: 'id_token_claim' },
  'userinfo-sub-mismatch': {
    script: { ...withoutGroups(), userinfo: (c) => ({ ...c, sub: 'bob-id' }) },
    reason: 'userinfo_sub',
  },
  'token-redirect': {
    script: { raw: { token: (response) => void response.writeHead(307, { location: '/realms/main/userinfo' }).end() } },
    reason: 'http_status',
  },
  'token-close': {
    script: {
      raw: {
        token: (response) => {
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' }).write('{"access')
          setImmediate(() => response.destroy())
        },
      },
    },
    code: 'unreachable',
  },
  // The conformance suite's modules for a client that the corpus does not name.
  'oidcc-client-test-invalid-iss': { script: claimsChanged({ iss: 'https://evil.example' }) },
  'oidcc-client-test-missing-sub': { script: claimsChanged({ sub: undefined }) },
  'oidcc-client-test-invalid-aud': { script: claimsChanged({ aud: 'other' }) },
  'oidcc-client-test-missing-aud': { script: claimsChanged({ aud: undefined }) },
  'oidcc-client-test-missing-iat': { script: claimsChanged({ iat: undefined }) },
  'oidcc-client-test-nonce-invalid': { script: claimsChanged({ nonce: 'x' }) },
  'fapi2-invalid-secondary-aud': { script: claimsChanged({ aud: ['gateway', 'other'] }), reason: 'id_token_claim' },
  'fapi2-expired-exp': { script: claimsChanged({ exp: 1 }), reason: 'clock_skew' },
  'fapi2-missing-exp': { script: claimsChanged({ exp: undefined }) },
  'fapi2-missing-nonce': { script: claimsChanged({ nonce: undefined }) },
  // jwtTampering, as ID tokens.
  'nonce-array': { script: { idTokenClaims: (claims) => ({ ...claims, nonce: [claims.nonce] }) } },
  'azp-wrong': { script: claimsChanged({ azp: 'other' }), reason: 'id_token_claim' },
  'azp-missing-multi-aud': { script: claimsChanged({ aud: ['gateway', 'other'], azp: undefined }) },
  'sub-number': { script: claimsChanged({ sub: 1 }) },
  'sub-long': { script: claimsChanged({ sub: 's'.repeat(256) }), code: 'claims' },
  'claim-crlf': { script: claimsChanged({ preferred_username: 'a\r\nX-Forwarded-Groups: admins' }), code: 'claims' },
  'typ-logout': { script: claimsChanged({ nonce: undefined, events: {} }) },
}

function claimsChanged(changes: Json): Script {
  return { idTokenClaims: (claims) => ({ ...claims, ...changes }) }
}

function bodyChanged(changes: Json): Script {
  return { tokenBody: (body) => ({ ...body, ...changes }) }
}

function withoutGroups(): Script {
  return claimsChanged({ groups: undefined })
}

const below = [
  ...['error-access-denied', 'error-login-required', 'error-unknown', 'error-html', 'error-crlf', 'error-ansi'],
  ...['code-garbage', 'code-other-client', 'pkce-plain', 'token-type', 'expires-in', 'scope-reduced', 'userinfo-array'],
  ...['userinfo-jwt', 'token-slow', 'token-error-json', 'clock-skew'],
]
const inLoginTest = ['code-injected-pkce', 'pkce-constant']
/** The front door's part: the flow cookie, the method, the page. This room sees a callback of a known transaction. */
const frontDoor = [
  ...['state-replayed-parallel', 'state-other-browser', 'state-expired', 'state-in-fragment', 'form-post-json'],
  ...['form-post-both', 'method-head', 'cross-site-fetch', 'iframe', 'logged-in-other-user', 'two-tabs', 'back-button'],
  ...['host-mismatch', 'http-scheme', 'referrer'],
]

test('every name of the corpus is tried or accounted for', () => {
  const tried = new Set([...Object.keys(callbacks), ...Object.keys(answers), ...below, ...inLoginTest, ...frontDoor])
  assert.deepEqual(
    corpus.oidcCallback.map(({ name }) => name).filter((name) => !tried.has(name)),
    [],
  )
})

test('a callback that was bent makes no token request', async (t) => {
  const world = await openWorld(t)
  for (const [name, changes] of Object.entries(callbacks)) {
    for (const change of [changes].flat()) {
      world.rogue.script.callback = change
      const failure = await failureOf(logIn(world))
      assert.equal(failure.code, 'invalid_response', name)
      assert.equal(world.rogue.calls.token, 0, name)
    }
  }
})

for (const [name, { script, code = 'invalid_response', reason }] of Object.entries(answers)) {
  test(`no login: ${name}`, async (t) => {
    const world = await openWorld(t)
    world.rogue.script = script
    const failure = await failureOf(logIn(world))
    assert.equal(failure.code, code, failure.message)
    if (reason !== undefined) assert.equal(failure.reason, reason, failure.message)
    // After a bad token nothing else is called with it.
    if (name !== 'userinfo-sub-mismatch') assert.equal(world.rogue.calls.userinfo, 0)
  })
}

test('error answers: the provider’s own word, bounded and harmless', async (t) => {
  const world = await openWorld(t)
  const answered = async (error: string, description?: string) => {
    world.rogue.script.callback = (query) => {
      query.delete('code')
      query.set('error', error)
      if (description !== undefined) query.set('error_description', description)
    }
    return failureOf(logIn(world))
  }
  const denied = await answered('access_denied', 'no')
  assert.deepEqual([denied.code, denied.reason, denied.error], ['denied', 'access_denied', 'login_denied'])
  const silent = await answered('login_required')
  assert.deepEqual([silent.code, silent.reason], ['provider_error', 'login_required'])
  const unknown = await answered('zzz')
  assert.deepEqual([unknown.code, unknown.reason], ['provider_error', 'other'])
  const ansi = await answered('\x1b[2J', 'a\r\nSet-Cookie:x=1\x1b[2J')
  assert.equal(ansi.description, 'a??Set-Cookie:x=1?[2J')
  assert.match(ansi.message, /^[\x20-\x7e]*$/)
  assert.equal((await answered('server_error', 'é'.repeat(500))).description?.length, 200)
  assert.equal(world.rogue.calls.token, 0)
})

test('code-garbage, code-other-client: the token endpoint’s answer is the outcome', async (t) => {
  const world = await openWorld(t)
  for (const code of ['../../', '\0', 'c'.repeat(65_536), 'of-another-client']) {
    world.rogue.script.callback = (query) => query.set('code', code)
    const failure = await failureOf(logIn(world))
    assert.deepEqual([failure.code, failure.description], ['code_rejected', 'Code not valid'])
  }
})

test('token-error-json: one label each, and no secret in what is logged', async (t) => {
  const world = await openWorld(t)
  const answered = (status: number, error: string, headers = {}) => {
    world.rogue.script.raw = {
      token: (response) =>
        void response
          .writeHead(status, { 'content-type': 'application/json', ...headers })
          .end(JSON.stringify({ error, error_description: 'text' })),
    }
    return failureOf(logIn(world))
  }
  const cases = [
    [400, 'invalid_grant', 'code_rejected'],
    [401, 'invalid_client', 'client_rejected'],
    [401, 'unauthorized_client', 'client_rejected'],
    [400, 'invalid_request', 'provider_error'],
    [400, 'not_allowed', 'provider_error'],
  ] as const
  for (const [status, error, code] of cases) {
    const failure = await answered(status, error)
    assert.deepEqual([failure.code, failure.reason], [code, error])
    assert.equal(failure.detail.split(error).length, 2, failure.detail)
    assert.ok(!JSON.stringify(failure, Object.getOwnPropertyNames(failure)).includes(world.rogue.clientSecret))
    assert.equal(failure.cause, undefined)
  }
  const challenged = await answered(401, 'invalid_client', { 'www-authenticate': 'Basic realm="x"' })
  assert.deepEqual([challenged.code, challenged.reason], ['client_rejected', 'invalid_client'])
  const down = await answered(503, 'temporarily_unavailable')
  assert.deepEqual([down.code, down.reason], ['unreachable', 'http_5xx'])
})

test('token-type: bearer in any case, nothing else', async (t) => {
  const world = await openWorld(t)
  world.rogue.script = bodyChanged({ token_type: 'bEaReR' })
  await logIn(world)
  for (const token_type of ['mac', undefined, 7]) {
    world.rogue.script = bodyChanged({ token_type })
    assert.equal((await failureOf(logIn(world))).code, 'invalid_response')
  }
})

test('expires-in: what means nothing is the token’s own exp, else five minutes; nothing is endless', async (t) => {
  const world = await openWorld(t)
  world.rogue.script.accessToken = () => 'opaque'
  const lifeWith = async (expires_in: unknown) => {
    world.rogue.script.tokenBody = (body) => ({ ...body, expires_in })
    return ((await logIn(world)).tokens.accessExpiresAt! - world.clock.time) / 1000
  }
  assert.equal(await lifeWith(60), 60)
  for (const nothing of [undefined, 0, -1, 'soon', '600', null, {}]) assert.equal(await lifeWith(nothing), 300)
  assert.equal(await lifeWith(1e300), longestExpiresIn)
  delete world.rogue.script.accessToken
  world.rogue.script.accessTokenClaims = () => ({ exp: Math.floor(world.clock.time / 1000) + 77 })
  assert.ok(Math.abs((await lifeWith(undefined)) - 77) <= 1)
})

test('scope-reduced: what was granted is recorded', async (t) => {
  const world = await openWorld(t)
  world.rogue.script = bodyChanged({ scope: 'openid' })
  assert.deepEqual((await logIn(world)).identity.scopes, ['openid'])
})

test('userinfo-array, userinfo-jwt: not a JSON object of the person, no login', async (t) => {
  const world = await openWorld(t)
  const other = await generateSigningKey()
  const signed = await world.rogue.sign({ iss: 'https://evil.example', aud: 'other', sub: 'alice-id' }, {}, other)
  const bodies = [
    ['application/json', '[]'],
    ['application/json', '"text"'],
    ['application/json', '{"sub":'],
    ['text/html', '<html>'],
    ['application/jwt', signed],
  ] as const
  for (const [type, body] of bodies) {
    world.rogue.script = {
      ...withoutGroups(),
      raw: { userinfo: (response) => void response.writeHead(200, { 'content-type': type }).end(body) },
    }
    assert.equal((await failureOf(logIn(world))).code, 'invalid_response', body)
  }
})

test('token-slow: a deadline over headers and body', async (t) => {
  const world = await openWorld(t, { timeout: 150 })
  await logIn(world)
  const started = performance.now()
  world.rogue.script.raw = { token: () => undefined }
  assert.equal((await failureOf(logIn(world))).code, 'timeout')
  const drips: NodeJS.Timeout[] = []
  world.rogue.script.raw = {
    token: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      drips.push(setInterval(() => response.write(' '), 20))
    },
  }
  assert.equal((await failureOf(logIn(world))).code, 'timeout')
  for (const drip of drips) clearInterval(drip)
  assert.ok(performance.now() - started < 1500)
})

test('pkce-plain: a provider without S256 is refused before anybody is sent there', async (t) => {
  const world = await openWorld(t)
  world.rogue.script.discovery = (document) => ({ ...document, code_challenge_methods_supported: ['plain'] })
  await assert.rejects(logIn(world), /offers PKCE plain and not S256/)
})

test('clock-skew: 30 s are tolerated, five minutes have a reason of their own', async (t) => {
  const world = await openWorld(t)
  const real = world.rogue.now
  for (const skew of [-25, 25]) {
    world.rogue.now = () => real() + skew
    await logIn(world)
  }
  for (const skew of [-3600, 300]) {
    world.rogue.now = () => real() + skew
    const failure = await failureOf(logIn(world))
    assert.deepEqual([failure.code, failure.reason], ['invalid_response', 'clock_skew'], String(skew))
  }
})

test('claim-huge-groups: a person with 5,000 groups logs in', async (t) => {
  const world = await openWorld(t, { groupsKept: ['/team/1*', '/team/7'] })
  world.rogue.person.groups = Array.from({ length: 5000 }, (_, n) => `/team/${n}`)
  const proof = await logIn(world)
  assert.deepEqual(proof.identity.groups, ['/team/7'])
})

test('a repeated member in an ID token is refused', async (t) => {
  const world = await openWorld(t)
  const key = world.rogue.keys[0]!
  world.rogue.script.idToken = async (_, claims) => {
    const payload = JSON.stringify(claims).replace('{', '{"sub":"mallory",')
    const input = forge({ alg: 'RS256', kid: key.kid }, payload, '').slice(0, -1)
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', key.privateKey, Buffer.from(input))
    return `${input}.${Buffer.from(signature).toString('base64url')}`
  }
  assert.equal((await failureOf(logIn(world))).reason, 'id_token_claim')
})
