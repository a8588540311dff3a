import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../../src/core/log.ts'
import { silentLog } from '../../src/core/log.ts'
import { RefreshFailure, refreshTokens } from '../../src/oidc/refresh.ts'
import { logIn, openWorld } from './journey.ts'

async function failureOf(attempt: Promise<unknown>): Promise<RefreshFailure> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof RefreshFailure) return error
    throw error
  }
  throw new Error('the refresh went through')
}

test('claims and tokens are renewed', async (t) => {
  const world = await openWorld(t)
  const { rogue, provider } = world
  const before = await logIn(world)
  rogue.person.groups = ['/new']
  rogue.script.accessTokenClaims = () => ({ realm_access: { roles: ['boss'] } })
  const after = await refreshTokens(provider, before)
  assert.equal(rogue.last.form.get('refresh_token'), before.tokens.refreshToken)
  assert.deepEqual(after.identity.groups, ['/new'])
  assert.deepEqual(after.identity.realmRoles, ['boss'])
  assert.notEqual(after.tokens.refreshToken, before.tokens.refreshToken)
  assert.equal(after.sid, 'sid-1')
})

test('what the answer leaves out is kept: refresh token, ID token, claims nobody spoke of', async (t) => {
  const world = await openWorld(t)
  const { rogue, provider } = world
  const before = await logIn(world)
  rogue.script = {
    tokenBody: ({ access_token, token_type }) => ({ access_token, token_type }),
    accessToken: () => 'opaque',
    userinfo: () => ({ sub: 'alice-id', groups: ['/new'] }),
  }
  const after = await refreshTokens(provider, before)
  assert.equal(after.tokens.refreshToken, before.tokens.refreshToken)
  assert.equal(after.tokens.idToken, before.tokens.idToken)
  assert.equal(after.tokens.accessToken, 'opaque')
  assert.deepEqual(after.identity, { ...before.identity, groups: ['/new'] })
})

test('a renewal is no authentication: auth_time does not move forward', async (t) => {
  const world = await openWorld(t)
  const before = await logIn(world)
  const signedIn = before.identity.authTime!
  world.rogue.script.idTokenClaims = (claims) => ({ ...claims, auth_time: signedIn + 500 })
  assert.equal((await refreshTokens(world.provider, before)).identity.authTime, signedIn)
})

test('another person’s tokens end the session', async (t) => {
  const world = await openWorld(t)
  const { rogue, provider } = world
  const before = await logIn(world)
  rogue.script.idTokenClaims = (claims) => ({ ...claims, sub: 'bob-id' })
  assert.deepEqual(await kindOf(refreshTokens(provider, before)), ['terminal', 'other_subject'])
  rogue.script = { tokenBody: (body) => ({ ...body, id_token: undefined }), userinfo: () => ({ sub: 'bob-id' }) }
  assert.deepEqual(await kindOf(refreshTokens(provider, before)), ['terminal', 'other_subject'])
})

const kindOf = async (attempt: Promise<unknown>) => {
  const { kind, reason } = await failureOf(attempt)
  return [kind, reason]
}

test('only invalid_grant ends a session; our own credentials alarm; the rest passes', async (t) => {
  const world = await openWorld(t, { timeout: 200 })
  const { rogue, provider } = world
  const session = await logIn(world)
  const answering = (status: number, body: string, headers = {}) => {
    rogue.script.raw = {
      token: (response) =>
        void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body),
    }
    return kindOf(refreshTokens(provider, session))
  }
  const said = (error: string) => JSON.stringify({ error, error_description: 'Token is not active' })
  assert.deepEqual(await answering(400, said('invalid_grant')), ['terminal', 'invalid_grant'])
  assert.deepEqual(await answering(401, said('invalid_client')), ['operator', 'invalid_client'])
  assert.deepEqual(await answering(401, said('unauthorized_client')), ['operator', 'unauthorized_client'])
  assert.deepEqual(await answering(401, '', { 'www-authenticate': 'Basic' }), ['operator', 'invalid_client'])
  assert.deepEqual(await answering(400, said('invalid_scope')), ['transient', 'invalid_scope'])
  assert.deepEqual(await answering(500, said('invalid_grant')), ['transient', 'http_5xx'])
  assert.deepEqual(await answering(503, '<html>'), ['transient', 'http_5xx'])
  assert.deepEqual(await answering(200, '<html>', { 'content-type': 'text/html' }), ['transient', 'not_json'])
  assert.deepEqual(await answering(200, '{"access'), ['transient', 'not_json'])
  assert.deepEqual(await answering(302, '', { location: '/' }), ['transient', 'http_status'])
  assert.deepEqual(await answering(200, `"${'x'.repeat(2_000_000)}"`), ['transient', 'too_large'])
  rogue.script.raw = { token: (response) => void response.destroy() }
  assert.deepEqual(await kindOf(refreshTokens(provider, session)), ['transient', 'reset'])
  rogue.script.raw = { token: () => undefined }
  assert.deepEqual(await kindOf(refreshTokens(provider, session)), ['transient', 'timeout'])
  await rogue.close()
  assert.deepEqual(await kindOf(refreshTokens(provider, session)), ['transient', 'refused'])
})

test('a refresh token that was spent is not lost with userinfo', async (t) => {
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message) }
  const world = await openWorld(t, {}, log)
  const { rogue, provider } = world
  const before = await logIn(world)
  rogue.script = {
    idTokenClaims: (claims) => ({ ...claims, groups: undefined }),
    raw: { userinfo: (response) => void response.writeHead(503).end() },
  }
  const after = await refreshTokens(provider, before)
  assert.notEqual(after.tokens.refreshToken, before.tokens.refreshToken)
  assert.deepEqual(after.identity, before.identity)
  assert.deepEqual(warnings, ['claims not renewed'])
})

test('without keys the refresh token is not spent', async (t) => {
  const world = await openWorld(t)
  const session = await logIn(world)
  world.rogue.script.raw = { jwks: (response) => void response.writeHead(500).end() }
  world.clock.time += 25 * 3_600_000
  assert.equal((await failureOf(refreshTokens(world.provider, session))).kind, 'transient')
  assert.equal(world.rogue.calls.token, 1)
})

test('no refresh token, no refresh', async (t) => {
  const world = await openWorld(t)
  const { identity } = await logIn(world)
  assert.deepEqual(await kindOf(refreshTokens(world.provider, { identity, tokens: {} })), [
    'terminal',
    'no_refresh_token',
  ])
})
