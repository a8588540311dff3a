import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { handleOf } from '../../src/session/handle.ts'
import { createSession } from '../../src/session/lifetimes.ts'
import { type OpenedCookie, openLiveSessions } from '../../src/session/live-sessions.ts'
import { openSessionState } from '../../src/session/open.ts'
import { movableClock } from '../contracts/key-value.ts'
import { proofOf } from './people.ts'

const lifetimes = { idle: 1_000, lifetime: 10_000 }

async function openWorld(maxBytes: number) {
  const clock = movableClock()
  const { revocations } = await openSessionState({ clock, log: silentLog })
  const cache = openLiveSessions<OpenedCookie>(maxBytes, revocations)
  const opened = (name: string): OpenedCookie => {
    const session = createSession(proofOf(name), clock.now(), lifetimes)
    return { binding: 'site', live: { session, seenAt: clock.now() } }
  }
  return { cache, revocations, opened }
}

const handle = ({ live }: OpenedCookie): string => handleOf(live.session.id)

test('the least recently used goes first, and the index goes with it', async () => {
  const { cache, opened } = await openWorld(20_000)
  const all = ['a', 'b', 'c', 'd', 'e', 'f'].map(opened)
  cache.put('first', all[0]!)
  for (const [number, one] of all.slice(1).entries()) {
    cache.put(`value ${number}`, one)
    assert.equal(cache.get('first', 'site'), all[0])
  }
  const kept = all.filter((one) => cache.ofSession(handle(one)).length > 0)
  assert.ok(kept.length < all.length && kept.includes(all[0]!))
  assert.equal(cache.statistics().entries, kept.length)
  assert.ok(cache.statistics().bytes <= 20_000)
})

test('a cookie is found by its whole text at its own site alone', async () => {
  const { cache, opened } = await openWorld(1_000_000)
  const end = 'x'.repeat(40)
  cache.put(`one${end}`, opened('a'))
  assert.ok(cache.get(`one${end}`, 'site'))
  assert.equal(cache.get(`two${end}`, 'site'), undefined, 'the same end')
  assert.equal(cache.get(end, 'site'), undefined)
  assert.equal(cache.get(`one${end}`, 'other site'), undefined)
  assert.deepEqual({ hits: cache.statistics().hits, misses: cache.statistics().misses }, { hits: 1, misses: 3 })
})

test('without room nothing is kept, and nothing is left behind', async () => {
  const { cache, opened } = await openWorld(0)
  const one = opened('a')
  assert.equal(cache.put('value', one), true)
  assert.equal(cache.get('value', 'site'), undefined)
  assert.deepEqual(cache.ofSession(handle(one)), [])
  assert.equal(cache.statistics().bytes, 0)
})

test('a mark takes all cookies of a session out, and keeps them out', async () => {
  const { cache, revocations, opened } = await openWorld(1_000_000)
  const [one, other] = [opened('a'), opened('b')]
  for (const value of ['old copy', 'new copy', 'new copy']) cache.put(value, one)
  cache.put('other', other)
  assert.equal(cache.ofSession(handle(one)).length, 2)
  await revocations.endSession(one.live.session, lifetimes.lifetime)
  assert.deepEqual(cache.ofSession(handle(one)), [])
  assert.equal(cache.put('late', one), false)
  assert.equal(cache.get('other', 'site'), other)
  assert.equal(cache.statistics().entries, 1)
})
