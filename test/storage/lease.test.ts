/** One holder at a time, renewed while it works, and word to those who wait. In memory, and in a real Redis. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'
import { type Busy, type Lease, type Leases, openLeases } from '../../src/storage/lease.ts'
import { openMemoryKeyValue } from '../../src/storage/memory.ts'
import { openRedisKeyValue } from '../../src/storage/redis.ts'
import { startRedis } from '../support/redis.ts'

const leaseTime = 400

/** Two processes over one store. */
type OpenTwo = () => Promise<readonly [KeyValue, KeyValue]>

async function leaseContract(t: TestContext, name: string, open: OpenTwo): Promise<void> {
  const each = (what: string, body: (a: Leases, b: Leases, kvs: readonly KeyValue[]) => Promise<void>) =>
    t.test(`${name}: ${what}`, async () => {
      const kvs = await open()
      const [a, b] = await Promise.all(kvs.map((kv) => openLeases(kv, silentLog, leaseTime)))
      assert.ok(a !== undefined && b !== undefined)
      await body(a, b, kvs)
      a.close()
      b.close()
      for (const kv of kvs) await kv.close()
    })

  await each('one holds it, the others get its word', async (a, b) => {
    const held = asHeld(await a.acquire('x'))
    const waiting = [asBusy(await b.acquire('x')), asBusy(await a.acquire('x'))]
    asHeld(await b.acquire('another name'))
    await held.release('done')
    for (const { done } of waiting) assert.equal(await done, 'done')
    await asHeld(await b.acquire('x')).release('again')
  })

  await each('a holder that works for longer than the lease keeps it', async (a, b) => {
    const held = asHeld(await a.acquire('x'))
    for (let waited = 0; waited < 3; waited++) {
      await sleep(leaseTime / 2)
      assert.equal((await b.acquire('x')).kind, 'busy')
    }
    await held.release('done')
  })

  await each('a holder that dies is waited for no longer than the lease', async (a, b, kvs) => {
    await kvs[0]?.add('lease x', 'somebody who died', leaseTime)
    const began = performance.now()
    assert.equal(await asBusy(await b.acquire('x')).done, undefined)
    assert.ok(performance.now() - began < 2 * leaseTime)
    // The store's clock is another one: its key may go a moment after our timer.
    let next = await a.acquire('x')
    for (let tries = 0; tries < 50 && next.kind === 'busy'; tries++) {
      await sleep(2)
      next = await a.acquire('x')
    }
    await asHeld(next).release('done')
  })

  await each('a holder that lost its lease takes nothing from the next', async (a, b, kvs) => {
    const first = asHeld(await a.acquire('x'))
    await kvs[0]?.delete('lease x')
    const second = asHeld(await b.acquire('x'))
    await first.release('late')
    assert.equal((await a.acquire('x')).kind, 'busy')
    await second.release('done')
  })

  await each('the others hear of every release, the holder does not', async (a, b) => {
    const heard: string[] = []
    a.onReleased((lease, word) => heard.push(`a ${lease} ${word}`))
    b.onReleased((lease, word) => heard.push(`b ${lease} ${word}`))
    await asHeld(await a.acquire('x')).release('done')
    for (let tries = 0; tries < 100 && heard.length === 0; tries++) await sleep(2)
    assert.deepEqual(heard, ['b x done'])
  })
}

function asHeld(lease: Lease | Busy): Lease {
  assert.ok(lease.kind === 'held')
  return lease
}

function asBusy(lease: Lease | Busy): Busy {
  assert.ok(lease.kind === 'busy')
  return lease
}

test('leases in memory', async (t) => {
  await leaseContract(t, 'memory', async () => {
    const kv = openMemoryKeyValue({ clock: systemClock, log: silentLog, maxEntries: 100 })
    return [kv, kv]
  })
})

test('leases in a real Redis', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  await leaseContract(t, 'redis', async () => {
    const options = redis.options()
    const open = () => openRedisKeyValue(options, { log: silentLog })
    return [await open(), await open()]
  })
})
