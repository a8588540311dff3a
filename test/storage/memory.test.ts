import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { createExpiringMap } from '../../src/storage/expiring-map.ts'
import { openMemoryKeyValue } from '../../src/storage/memory.ts'
import { keyValueContract, movableClock } from '../contracts/key-value.ts'

keyValueContract('memory', async () => {
  const clock = movableClock()
  return { clock, kv: openMemoryKeyValue({ clock, log: silentLog, maxEntries: 100 }) }
})

test('memory: the bound holds, the oldest go, and that is said once', async () => {
  const warnings: string[] = []
  const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) }
  const kv = openMemoryKeyValue({ clock: movableClock(), log, maxEntries: 3 })
  for (const key of ['a', 'b', 'c']) await kv.set(key, key, 1000)
  await kv.extend('a', 1000)
  for (const key of ['d', 'e']) await kv.set(key, key, 1000)
  const kept = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => kv.get(key)))
  assert.deepEqual(kept, ['a', undefined, undefined, 'd', 'e'])
  assert.equal(warnings.length, 1)
})

test('memory: writing sweeps what has expired, so that nothing piles up', () => {
  const clock = movableClock()
  const map = createExpiringMap({ clock, maxEntries: 10_000, onEvict: () => assert.fail('nothing had to go') })
  for (let n = 0; n < 500; n++) map.set(`old ${n}`, '', 1000)
  clock.advance(1000)
  for (let n = 0; n < 600; n++) map.set(`new ${n}`, '', 60_000)
  assert.equal(map.size, 600)
})
