import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createSession,
  endOf,
  idleEndOf,
  isOver,
  outlivesProvider,
  promisedEndOf,
  renewSession,
} from '../../src/session/lifetimes.ts'
import { proofOf } from './people.ts'

const lifetimes = { idle: 1_000, lifetime: 10_000 }

test('a session ends at its idle or its absolute end, whichever comes first', () => {
  const session = createSession(proofOf('alice'), 0, lifetimes)
  const live = { session, seenAt: 500 }
  assert.equal(endOf(session, lifetimes), 10_000)
  assert.equal(idleEndOf(live, lifetimes), 1_500)
  assert.ok(!isOver(live, 1_499, lifetimes) && isOver(live, 1_500, lifetimes))
  assert.equal(idleEndOf({ ...live, seenAt: 9_900 }, lifetimes), 10_000)
  assert.equal(endOf(session, { ...lifetimes, lifetime: 20_000 }), 10_000, 'a longer lifetime is for new sessions')
})

test('a session is promised until its own end, or the provider’s where that comes first', () => {
  const session = createSession(proofOf('alice'), 0, lifetimes)
  const until = (providerEndsAt: number) => ({ ...session, tokens: { ...session.tokens, providerEndsAt } })
  assert.equal(promisedEndOf(session, lifetimes), 10_000)
  assert.equal(promisedEndOf(until(4_000), lifetimes), 4_000)
  assert.equal(promisedEndOf(until(20_000), lifetimes), 10_000)
  assert.ok(!outlivesProvider(until(4_000), 3_999) && outlivesProvider(until(4_000), 4_000))
  assert.ok(!outlivesProvider(session, 1e15), 'a provider that named no end')
})

test('the end of a refresh token stays with it, and goes with it', () => {
  const proof = proofOf('alice')
  const session = createSession({ ...proof, tokens: { ...proof.tokens, providerEndsAt: 4_000 } }, 0, lifetimes)
  const endAfter = (tokens: object) => renewSession(session, { ...proof, tokens }, 700).tokens.providerEndsAt
  assert.equal(endAfter({ accessToken: 'fresh' }), 4_000)
  assert.equal(endAfter({ refreshToken: 'fresh' }), undefined)
  assert.equal(endAfter({ refreshToken: 'fresh', providerEndsAt: 5_000 }), 5_000)
})

test('ids are 256 random bits and differ', () => {
  const ids = Array.from({ length: 1_000 }, () => createSession(proofOf('alice'), 0, lifetimes).id)
  assert.equal(new Set(ids).size, 1_000)
  assert.ok(ids.every((id) => Buffer.from(id, 'base64url').length === 32))
})

test('a refresh that repeats no token keeps refresh and ID token, and no end of an older access token', () => {
  const session = createSession(proofOf('alice'), 0, lifetimes)
  const { identity } = proofOf('alice', { groups: ['/new'] })
  const renewed = renewSession(session, { identity, tokens: { accessToken: 'fresh' } }, 700)
  const { refreshToken, idToken, idExpiresAt } = session.tokens
  assert.deepEqual(renewed, {
    ...session,
    identity,
    tokens: { refreshToken, idToken, idExpiresAt, accessToken: 'fresh' },
    renewedAt: 700,
  })
})
