import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSession, endOf, idleEndOf, isOver, renewSession } from '../../src/session/lifetimes.ts'
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
