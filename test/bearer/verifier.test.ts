import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openBearerVerifier } from '../../src/bearer/verifier.ts'
import type { BearerConfig } from '../../src/config/bearer-config.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { silentLog } from '../../src/core/log.ts'
import { forge, openRogueProvider } from '../support/rogue-provider.ts'
import { bearerConfig } from './entry.ts'

async function openWorld(t: TestContext, changes: Partial<BearerConfig> = {}, cacheBytes?: number) {
  const rogue = await openRogueProvider()
  const clock = {
    time: Date.now(),
    now(): number {
      return this.time
    },
  }
  const verifier = openBearerVerifier([{ ...bearerConfig(rogue), ...changes }], {
    clock: { now: () => clock.time },
    log: silentLog,
    allowInsecureHttp: false,
    ...(cacheBytes !== undefined && { cacheBytes }),
  })
  t.after(async () => {
    await verifier.close()
    await rogue.close()
  })
  return { rogue, clock, verifier }
}

test('an access token tells who it is', async (t) => {
  const { rogue, verifier } = await openWorld(t, { claimsKept: ['department', 'address.country'] })
  const exp = rogue.now() + 100
  const token = await rogue.accessToken({ exp, department: 'it', address: { country: 'CH' } })
  assert.deepEqual(await verifier.verify(token), {
    kind: 'valid',
    expiresAt: exp * 1000,
    identity: {
      provider: rogue.issuer,
      issuer: rogue.issuer,
      subject: 'alice-id',
      username: 'alice',
      groups: ['/staff'],
      realmRoles: ['admin'],
      clientRoles: { gateway: ['editor'] },
      scopes: ['openid', 'email'],
      claims: { department: 'it', 'address.country': 'CH' },
    },
  })
})

test('a token seen before is answered at once, until it expires', async (t) => {
  const { rogue, clock, verifier } = await openWorld(t)
  const token = await rogue.accessToken({ exp: rogue.now() + 100 })
  const first = verifier.verify(token)
  assert.ok(first instanceof Promise)
  const result = await first
  assert.equal(verifier.verify(token), result)
  clock.time += 131_000
  const late = await verifier.verify(token)
  assert.deepEqual(late, { kind: 'invalid', reason: 'token_expired', detail: 'the token has expired' })
})

test('many requests with one new token are one verification', async (t) => {
  const { rogue, verifier } = await openWorld(t, { userinfo: true })
  const token = await rogue.accessToken({ groups: undefined })
  const results = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)))
  assert.ok(results.every((result) => result === results[0] && result.kind === 'valid'))
  assert.deepEqual(rogue.calls, { discovery: 1, token: 0, userinfo: 1, jwks: 1 })
})

test('a flood of unknown keys is one fetch in 30 s', async (t) => {
  const { rogue, clock, verifier } = await openWorld(t)
  const template = await rogue.accessToken({}, { kid: 'nobody' })
  const flood = (round: string) =>
    Promise.all(
      Array.from({ length: 500 }, (_, n) => {
        const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `${round}-${n}` })).toString('base64url')
        return verifier.verify(header + template.slice(template.indexOf('.')))
      }),
    )
  const first = await flood('a')
  assert.ok(first.every(({ kind }) => kind === 'invalid'))
  await flood('b')
  assert.equal(rogue.calls.jwks, 1)
  clock.time += 30_001
  await flood('c')
  await flood('d')
  assert.equal(rogue.calls.jwks, 2)
})

test('keys that were rotated are found with one fetch', async (t) => {
  const { rogue, verifier } = await openWorld(t)
  assert.equal((await verifier.verify(await rogue.accessToken())).kind, 'valid')
  await rogue.rotateKeys()
  assert.equal((await verifier.verify(await rogue.accessToken())).kind, 'valid')
  assert.equal(rogue.calls.jwks, 2)
})

test('the last good keys go on for a day while the issuer is broken', async (t) => {
  const { rogue, clock, verifier } = await openWorld(t)
  await verifier.verify(await rogue.accessToken())
  const later = await rogue.accessToken({ exp: rogue.now() + 200_000 })
  rogue.script.raw = { jwks: (response) => void response.writeHead(500).end() }
  clock.time += 23 * 3_600_000
  assert.equal((await verifier.verify(later)).kind, 'valid')
  clock.time += 2 * 3_600_000
  await assert.rejects(
    Promise.resolve(verifier.verify(await rogue.accessToken({ exp: rogue.now() + 200_001 }))),
    (error) => error instanceof GatewayError && error.code === 'provider_unreachable',
  )
})

test('without keys it is 503, not 401', async (t) => {
  const { rogue, clock, verifier } = await openWorld(t)
  const token = await rogue.accessToken({ exp: rogue.now() + 1000 })
  for (const body of ['<html>', '[]', '{"keys":', `"${'x'.repeat(2_000_000)}"`]) {
    rogue.script.raw = { jwks: (response) => void response.end(body) }
    // Past the pause that a failure makes.
    clock.time += 60_000
    await assert.rejects(Promise.resolve(verifier.verify(token)), { code: 'provider_unreachable', status: 503 })
  }
  assert.equal(rogue.calls.jwks, 4)
  assert.equal(verifier.states().get(rogue.issuer)?.ready, false)
})

test('clocks may differ by 30 s', async (t) => {
  const { rogue, clock, verifier } = await openWorld(t)
  clock.time = rogue.now() * 1000
  const now = rogue.now()
  const kindOf = async (claims: object) => (await verifier.verify(await rogue.accessToken({ ...claims }))).kind
  assert.equal(await kindOf({ exp: now - 29 }), 'valid')
  assert.equal(await kindOf({ exp: now - 30 }), 'invalid')
  for (const claim of ['iat', 'nbf']) {
    assert.equal(await kindOf({ [claim]: now + 30 }), 'valid')
    assert.equal(await kindOf({ [claim]: now + 31 }), 'invalid')
    assert.equal(await kindOf({ [claim]: 'soon' }), 'invalid')
  }
})

test('times in milliseconds are refused, and the detail names the unit: no token lives for ever', async (t) => {
  const { rogue, verifier } = await openWorld(t)
  for (const claim of ['exp', 'iat', 'nbf']) {
    const result = await verifier.verify(await rogue.accessToken({ [claim]: (rogue.now() + 10) * 1000 }))
    const detail = `${claim} is in milliseconds, and has to be in seconds (RFC 7519 2)`
    assert.deepEqual(result, { kind: 'invalid', reason: 'token_invalid', detail })
  }
})

test('errors name what differs', async (t) => {
  const { rogue, verifier } = await openWorld(t)
  const detailOf = async (claims: object) => {
    const result = await verifier.verify(await rogue.accessToken({ ...claims }))
    return result.kind === 'invalid' ? result.detail : ''
  }
  assert.equal(
    await detailOf({ iss: 'https://evil.example' }),
    `invalid issuer: expected ${rogue.issuer}, got https://evil.example`,
  )
  assert.equal(await detailOf({ aud: ['a', 'b"\r\n'] }), 'invalid audience: expected api, got a, b"??')
  assert.equal(await detailOf({ aud: undefined }), 'invalid audience: expected api, got none')
  assert.equal(await detailOf({ sub: undefined }), 'sub is missing (Keycloak: the client scope `basic`)')
})

test('an algorithm or kid that cannot be is refused before any key is fetched', async (t) => {
  const { rogue, verifier } = await openWorld(t)
  const detailOf = async (header: object) => {
    const result = await verifier.verify(forge(header, { iss: rogue.issuer }, 'AAAA'))
    return result.kind === 'invalid' ? result.detail : ''
  }
  assert.equal(await detailOf({ alg: 'HS256', kid: 'a' }), 'the algorithm is not one of RS256, ES256')
  for (const kid of [1, ['a'], 'k'.repeat(2000)]) {
    assert.equal(await detailOf({ alg: 'RS256', kid }), 'kid is not a short text')
  }
  assert.equal(rogue.calls.jwks, 0)
})

test('userinfo fills in groups once, and only for the same person', async (t) => {
  const { rogue, verifier } = await openWorld(t, { userinfo: true })
  const tokenOf = (jti: string) => rogue.accessToken({ jti, groups: undefined })
  const groupsIn = async (token: string) => {
    const result = await verifier.verify(token)
    return result.kind === 'valid' ? result.identity.groups : result.detail
  }
  const groupsOf = async (jti: string) => groupsIn(await tokenOf(jti))
  rogue.script.userinfo = (claims) => ({ ...claims, groups: ['/from-userinfo'] })
  const token = await tokenOf('a')
  assert.deepEqual(await groupsIn(token), ['/from-userinfo'])
  assert.deepEqual(await groupsIn(token), ['/from-userinfo'])
  assert.equal(rogue.calls.userinfo, 1)
  rogue.script.userinfo = (claims) => ({ ...claims, sub: 'bob-id' })
  assert.match(String(await groupsOf('b')), /userinfo refuses/)
  rogue.script.raw = { userinfo: (response) => void response.writeHead(401).end() }
  assert.match(String(await groupsOf('c')), /userinfo refuses/)
  rogue.script.raw = { userinfo: (response) => void response.writeHead(502).end() }
  await assert.rejects(groupsOf('d'), { code: 'provider_unreachable' })
})

test('userinfo is not asked where the token holds groups, or nobody wants it', async (t) => {
  const { rogue, verifier } = await openWorld(t)
  await verifier.verify(await rogue.accessToken({ groups: undefined }))
  assert.equal(rogue.calls.userinfo, 0)
})

test('pinned keys make no call', async (t) => {
  const { rogue } = await openWorld(t)
  const keys = rogue.keys.map(({ jwk }) => ({ ...jwk, kty: String(jwk.kty) }))
  const { verifier } = await openWorld(t, { issuer: rogue.issuer, keys })
  assert.equal((await verifier.verify(await rogue.accessToken())).kind, 'valid')
  await rogue.rotateKeys()
  assert.equal((await verifier.verify(await rogue.accessToken())).kind, 'invalid')
  assert.deepEqual(rogue.calls, { discovery: 0, token: 0, userinfo: 0, jwks: 0 })
})

test('the cache stays under its bytes', async (t) => {
  const { rogue, verifier } = await openWorld(t, {}, 5000)
  for (let n = 0; n < 20; n++) await verifier.verify(await rogue.accessToken({ jti: String(n) }))
  for (let n = 0; n < 50; n++) await verifier.verify(`garbage-${n}`)
  const { bytes, entries } = verifier.cacheStatistics()
  assert.ok(bytes <= 5000 && entries > 0, `${bytes} bytes`)
})

test('a refusal is remembered for a moment only', async (t) => {
  const { rogue, clock, verifier } = await openWorld(t)
  const token = await rogue.accessToken({ nbf: rogue.now() + 33 })
  const first = await verifier.verify(token)
  assert.equal(first.kind, 'invalid')
  assert.equal(verifier.verify(token), first)
  clock.time += 5001
  assert.equal((await verifier.verify(token)).kind, 'valid')
})

test('two entries of one issuer: the one whose audience fits', async (t) => {
  const { rogue } = await openWorld(t)
  const entries = [bearerConfig(rogue), { ...bearerConfig(rogue), audience: ['other'], groupsClaim: 'teams' }]
  const verifier = openBearerVerifier(entries, { clock: { now: Date.now }, log: silentLog, allowInsecureHttp: false })
  t.after(() => verifier.close())
  const result = await verifier.verify(await rogue.accessToken({ aud: 'other', teams: ['a'] }))
  assert.ok(result.kind === 'valid')
  assert.deepEqual(result.identity.groups, ['a'])
  assert.equal((await verifier.verify(await rogue.accessToken({ aud: 'third' }))).kind, 'invalid')
  assert.equal(rogue.calls.jwks, 1)
})
