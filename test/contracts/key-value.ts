import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Clock } from '../../src/core/clock.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'

/** A clock that tests move. A store that counts time itself is moved along, which takes a moment. */
export interface MovableClock extends Clock {
  advance(milliseconds: number): void | Promise<void>
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

/** An empty store and the clock its times to live are counted by. */
export type OpenKeyValue = () => Promise<{ readonly kv: KeyValue; readonly clock: MovableClock }>

/** What every KeyValue must do, whatever keeps the values. `open` gives an empty one at every call. */
export async function keyValueContract(name: string, open: OpenKeyValue, parent?: TestContext): Promise<void> {
  const tests: Promise<void>[] = []
  const each = (what: string, body: (kv: KeyValue, clock: MovableClock) => Promise<void>): void => {
    const run = async () => {
      const { kv, clock } = await open()
      try {
        await body(kv, clock)
      } finally {
        await kv.close()
      }
    }
    const title = `${name}: ${what}`
    tests.push(parent === undefined ? test(title, run) : parent.test(title, run))
  }

  each('what was set is read back, and the last one wins', async (kv) => {
    assert.equal(await kv.get('a'), undefined)
    await kv.set('a', '1', 10_000)
    await kv.set('a', '2', 10_000)
    assert.equal(await kv.get('a'), '2')
    await kv.delete('a')
    await kv.delete('a')
    assert.equal(await kv.get('a'), undefined)
  })

  each('a value ends at its time to live, for every operation', async (kv, clock) => {
    await kv.set('a', '1', 10_000)
    await clock.advance(9000)
    assert.equal(await kv.get('a'), '1')
    await clock.advance(1000)
    assert.equal(await kv.extend('a', 10_000), false)
    assert.equal(await kv.take('a'), undefined)
    assert.equal(await kv.get('a'), undefined)
    assert.equal(await kv.add('a', '2', 10_000), true)
  })

  each('extend gives a new time to live and leaves the value', async (kv, clock) => {
    await kv.set('a', '1', 10_000)
    await clock.advance(9000)
    assert.equal(await kv.extend('a', 10_000), true)
    await clock.advance(9000)
    assert.equal(await kv.get('a'), '1')
    assert.equal(await kv.extend('other', 10_000), false)
    assert.equal(await kv.get('other'), undefined)
  })

  each('add succeeds once, and leaves value and time of the first', async (kv, clock) => {
    const wins = await Promise.all(['1', '2', '3'].map((value) => kv.add('lease', value, 10_000)))
    assert.deepEqual(wins.filter(Boolean).length, 1)
    await clock.advance(5000)
    assert.equal(await kv.add('lease', '4', 10_000), false)
    await clock.advance(5000)
    assert.equal(await kv.add('lease', '5', 10_000), true)
  })

  each('swap sets only where the present value begins as said', async (kv, clock) => {
    assert.equal(await kv.swap('a', '', 'x', 10_000), false)
    assert.equal(await kv.get('a'), undefined)
    await kv.set('a', '1 first', 10_000)
    const wins = await Promise.all(['2', '3', '4'].map((n) => kv.swap('a', '1 ', `${n} next`, 20_000)))
    assert.deepEqual(wins.filter(Boolean).length, 1)
    const kept = await kv.get('a')
    assert.match(kept ?? '', /^[234] next$/)
    assert.equal(await kv.swap('a', '1 ', 'late', 10_000), false)
    assert.equal(await kv.swap('a', `${kept} and more`, 'longer', 10_000), false)
    assert.equal(await kv.swap('a', '.*', 'pattern', 10_000), false)
    assert.equal(await kv.get('a'), kept)
    await clock.advance(19_000)
    assert.equal(await kv.get('a'), kept)
    await clock.advance(1000)
    assert.equal(await kv.swap('a', '', 'x', 10_000), false)
  })

  each('delete with a start takes only a value that begins with it', async (kv) => {
    await kv.set('lease', 'owner 1', 10_000)
    await kv.delete('lease', 'owner 2')
    assert.equal(await kv.get('lease'), 'owner 1')
    await kv.delete('lease', 'owner 1')
    assert.equal(await kv.get('lease'), undefined)
    await kv.delete('lease', 'owner 1')
  })

  each('take gives a value to one caller', async (kv) => {
    await kv.set('code', 'x', 10_000)
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
    for (const key of keys) await kv.set(key, `value of ${key}`, 10_000)
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
    assert.equal(kv.state().ready, false)
    await assert.rejects(kv.get('a'), refused)
    await assert.rejects(kv.set('a', '1', 10_000), refused)
    await assert.rejects(kv.take('a'), refused)
    await assert.rejects(kv.publish('a', '1'), refused)
  })
  await Promise.all(tests)
}

/** Delivery may be asynchronous; it is quick. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.ok(condition())
}
