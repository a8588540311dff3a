import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logIn, openWorld } from './journey.ts'

test('a login proves who it is', async (t) => {
  const world = await openWorld(t)
  const proof = await logIn(world)
  assert.equal(proof.identity.subject, 'alice-id')
})
