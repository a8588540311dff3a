import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearerChallenge } from '../../src/bearer/challenge.ts'

test('a request without a token gets a challenge without an error', () => {
  assert.equal(bearerChallenge({}), 'Bearer realm="doorward"')
  assert.equal(
    bearerChallenge({ resourceMetadata: 'https://a.example/.well-known/oauth-protected-resource' }),
    'Bearer resource_metadata="https://a.example/.well-known/oauth-protected-resource"',
  )
})

test('everything it can say', () => {
  assert.equal(
    bearerChallenge({
      error: 'insufficient_user_authentication',
      description: 'A stronger sign-in is needed',
      scopes: ['read', 'write'],
      acr: ['gold', 'silver'],
      maxAge: 0,
    }),
    'Bearer error="insufficient_user_authentication", error_description="A stronger sign-in is needed", ' +
      'scope="read write", acr_values="gold silver", max_age="0"',
  )
})

test('foreign text cannot end a value, a parameter or the header', () => {
  const value = bearerChallenge({ error: 'invalid_token', description: 'a", realm="x\\"\r\nSet-Cookie: a=b\u{1f600}' })
  assert.equal(value.slice(0, 47), 'Bearer error="invalid_token", error_description')
  assert.equal(value.match(/"/g)?.length, 4)
  assert.match(value, /^[\x20-\x7e]+$/)
  assert.ok(!value.includes('\\'))
})
