/** What a token endpoint says of ends: its words, words that mean nothing, and times in the wrong unit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refreshTokens } from '../../src/oidc/refresh.ts'
import { expiresInOf, providerEndOf, refreshLifeOf } from '../../src/oidc/token-response.ts'
import type { Json } from '../support/rogue-provider.ts'
import { failureOf, logIn, openWorld, type World } from './journey.ts'

const answering = (world: World, change: Json) => {
  world.rogue.script.tokenBody = (body) => ({ ...body, ...change })
}

test('refresh_expires_in: a positive number of seconds, and nothing else', () => {
  assert.equal(refreshLifeOf(1800), 1_800_000)
  assert.equal(refreshLifeOf(0.5), 500)
  const nothing = [
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    1e12,
    '1800',
    '',
    null,
    undefined,
    {},
    [1800],
    true,
  ]
  for (const value of nothing) assert.equal(refreshLifeOf(value), undefined, JSON.stringify(value))
})

test('the provider’s word ends with the refresh token; without one with what came; or it names no end', () => {
  const now = 1_700_000_000_000
  const none = { refreshToken: undefined, refreshExpiresIn: undefined, expiresIn: undefined, exp: [] }
  const inSeconds = (ends: object) => {
    const end = providerEndOf({ ...none, ...ends }, now)
    return end === undefined ? undefined : (end - now) / 1000
  }
  assert.equal(inSeconds({ refreshToken: 'r', refreshExpiresIn: 1800, expiresIn: 60 }), 1800)
  assert.equal(inSeconds({ refreshToken: 'r', refreshExpiresIn: 0, expiresIn: 60 }), undefined)
  assert.equal(inSeconds({ refreshToken: 'r', expiresIn: 60 }), undefined)
  assert.equal(inSeconds({ refreshExpiresIn: 1800, expiresIn: 60 }), 60, 'the end of a token that did not come')
  assert.equal(inSeconds({ exp: [undefined, now / 1000 + 77] }), 77)
  assert.equal(inSeconds({ exp: [now + 300_000, now / 1000 + 77] }), 77, 'milliseconds are no time')
  assert.equal(inSeconds({ exp: [now + 300_000] }), undefined)
  assert.equal(inSeconds({}), undefined)
})

test('an access token’s exp in milliseconds says nothing: five minutes', () => {
  const seconds = 1_700_000_000
  assert.equal(expiresInOf(undefined, seconds + 77, seconds), 77)
  assert.equal(expiresInOf(undefined, (seconds + 77) * 1000, seconds), 300)
})

test('an ID token with times in milliseconds is refused, and the reason names the unit', async (t) => {
  const world = await openWorld(t)
  for (const claim of ['exp', 'iat']) {
    world.rogue.script.idTokenClaims = (claims) => ({ ...claims, [claim]: Number(claims[claim]) * 1000 })
    const { code, reason, message } = await failureOf(logIn(world))
    assert.deepEqual([code, reason], ['invalid_response', 'id_token_claim'])
    assert.equal(message, `ID token: ${claim} is in milliseconds, and has to be in seconds (RFC 7519 2)`)
  }
})

test('the end is kept at login and at every refresh, and goes with its token', async (t) => {
  const world = await openWorld(t)
  const { provider, clock } = world
  const endOf = ({ tokens }: { tokens: { providerEndsAt?: number } }) =>
    tokens.providerEndsAt === undefined ? undefined : (tokens.providerEndsAt - clock.time) / 1000
  answering(world, { refresh_expires_in: 1800 })
  const first = await logIn(world)
  assert.equal(endOf(first), 1800)
  clock.time += 100_000
  assert.equal(endOf(first), 1700)

  answering(world, { refresh_expires_in: 900 })
  assert.equal(endOf(await refreshTokens(provider, first)), 900, 'a new token, a new end')
  answering(world, { refresh_expires_in: 0 })
  assert.equal(endOf(await refreshTokens(provider, first)), undefined, 'a new token without an end')
  answering(world, { refresh_token: undefined })
  const kept = await refreshTokens(provider, first)
  assert.deepEqual(
    [kept.tokens.refreshToken, endOf(kept)],
    [first.tokens.refreshToken, 1700],
    'the old one, and its end',
  )
  answering(world, { refresh_token: undefined, refresh_expires_in: 1800 })
  assert.equal(endOf(await refreshTokens(provider, first)), 1800, 'the old one, which lives longer now')
})

test('no refresh token: the end of the tokens that came', async (t) => {
  const world = await openWorld(t)
  answering(world, { refresh_token: undefined, refresh_expires_in: 0, expires_in: 600 })
  const { tokens } = await logIn(world)
  assert.equal(tokens.providerEndsAt, world.clock.time + 600_000)
})

test('a life that is said twice ends with the sooner, unless only the clocks differ', () => {
  const seconds = 1_800_000_000
  assert.equal(expiresInOf(60, seconds + 58.7, seconds).toFixed(1), '58.7', 'the token was made before its answer came')
  assert.equal(expiresInOf(60, seconds + 61, seconds), 60)
  assert.equal(expiresInOf(300, seconds + 20, seconds), 300, 'our clock is minutes ahead')
  assert.equal(expiresInOf(60, seconds - 5, seconds), 60, 'it is over before it came: our clock is ahead')
  assert.equal(expiresInOf(60, (seconds + 50) * 1000, seconds), 60, 'milliseconds')
})
