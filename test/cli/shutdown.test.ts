import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mock, test } from 'node:test'
import { awaitShutdown } from '../../src/cli/shutdown.ts'
import { worldOf } from './world.ts'

test('the first signal asks, its echo is not a second one, anything later ends the process', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  for (const [first, second, wait, code] of [
    ['SIGINT', 'SIGINT', 0, undefined],
    ['SIGINT', 'SIGINT', 300, 130],
    ['SIGINT', 'SIGTERM', 0, 143],
    ['SIGTERM', 'SIGTERM', 300, 143],
  ] as const) {
    const signals = new EventEmitter()
    const exits: number[] = []
    const { asked, forget } = awaitShutdown({ ...worldOf({ cwd: '/' }), signals, exit: (status) => exits.push(status) })
    signals.emit(first)
    assert.equal(await asked, first)
    mock.timers.tick(wait)
    signals.emit(second)
    assert.deepEqual(exits, code === undefined ? [] : [code])
    forget()
    assert.equal(signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM'), 0)
  }
})
