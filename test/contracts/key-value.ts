import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../src/core/clock.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'

/** A clock that tests move. Implementations with a clock of their own map `advance` to real waiting. */
export interface MovableClock extends Clock {
  advance(milliseconds: number): void
}

export function movableClock(start = 1_800_000_000_000): MovableClock {
  let now = start
  return {
    now: () => now,
    advance(milliseconds) {
      now += milliseconds
    },
  }
}

/** What every KeyValue must do, whatever keeps the values. `open` gives an empty one at every call. */
export function keyValueContract(name: string, open: (clock: Clock) => Promise<KeyValue>): void {
  const each = (what: string, body: (kv: KeyValue, clock: MovableClock) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const clock = movableClock()
      const kv = await open(clock)
      try {
        await body(kv, clock)
      } finally {
        await kv.close()
      }
    })
  }

  each('what was set is read back, and the last one wins', async (kv) => {
    assert.equal(await kv.get('a'), undefined)
    await kv.set('a', '1', 1000)
    await kv.set('a', '2', 1000)
    assert.equal(await kv.get('a'), '2')
    await kv.delete('a')
    await kv.delete('a')
    assert.equal(await kv.get('a'), undefined)
  })

  each('a value ends at its time to live, for every operation', async (kv, clock) => {
    await kv.set('a', '1', 1000)
    clock.advance(999)
    assert.equal(await kv.get('a'), '1')
    clock.advance(1)
    assert.equal(await kv.extend('a', 1000), false)
    assert.equal(await kv.take('a'), undefined)
    assert.equal(await kv.get('a'), undefined)
    assert.equal(await kv.add('a', '2', 1000), true)
  })

  each('extend gives a new time to live and leaves the value', async (kv, clock) => {
    await kv.set('a', '1', 1000)
    clock.advance(900)
    assert.equal(await kv.extend('a', 1000), true)
    clock.advance(900)
    assert.equal(await kv.get('a'), '1')
    assert.equal(await kv.extend('other', 1000), false)
    assert.equal(await kv.get('other'), undefined)
  })

  each('add succeeds once, and leaves value and time of the first', async (kv, clock) => {
    const wins = await Promise.all(['1', '2', '3'].map((value) => kv.add('lease', value, 1000)))
    assert.deepEqual(wins.filter(Boolean).length, 1)
    clock.advance(500)
    assert.equal(await kv.add('lease', '4', 1000), false)
    clock.advance(500)
    assert.equal(await kv.add('lease', '5', 1000), true)
  })

  each('take gives a value to one caller', async (kv) => {
    await kv.set('code', 'x', 1000)
    const taken = await Promise.all([kv.take('code'), kv.take('code'), kv.take('code')])
    assert.deepEqual(
      taken.filter((value) => value !== undefined),
      ['x'],
    )
  })

  each('a time to live that is not one is refused', async (kv) => {
    for (const ttl of [0, -1, Number.NaN]) await assert.rejects(kv.set('a', '1', ttl))
    assert.equal(await kv.get('a'), undefined)
  })

  each('keys and values are opaque text', async (kv) => {
    const keys = ['*', 'a?b', '{tag}', '__proto__', 'constructor', 'a\r\nDEL b', 'ünïcode', '../x', 'a:b', ' ']
    for (const key of keys) await kv.set(key, `value of ${key}`, 1000)
    for (const key of keys) assert.equal(await kv.get(key), `value of ${key}`)
    assert.equal(await kv.get('a'), undefined)
    assert.equal(await kv.get('toString'), undefined)
  })

  each('published messages reach the subscribers of that channel', async (kv) => {
    const heard: string[] = []
    const unsubscribe = await kv.subscribe('news', (message) => heard.push(message))
    await kv.subscribe('other', () => heard.push('wrong channel'))
    await kv.publish('news', 'one')
    await until(() => heard.length === 1)
    unsubscribe()
    await kv.publish('news', 'two')
    await kv.get('settle')
    assert.deepEqual(heard, ['one'])
  })

  each('a failing subscriber does not silence the others', async (kv) => {
    const heard: string[] = []
    await kv.subscribe('news', () => {
      throw new Error('a broken listener')
    })
    await kv.subscribe('news', (message) => heard.push(message))
    await kv.publish('news', 'one')
    await until(() => heard.length === 1)
  })

  each('after close every operation says that the store is unreachable', async (kv) => {
    await kv.close()
    const refused = { code: 'store_unreachable' }
    await assert.rejects(kv.get('a'), refused)
    await assert.rejects(kv.set('a', '1', 1000), refused)
    await assert.rejects(kv.take('a'), refused)
    await assert.rejects(kv.publish('a', '1'), refused)
  })
}

/** Delivery may be asynchronous; it is quick. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 50 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.ok(condition())
}
