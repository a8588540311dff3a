/** However many sessions fall due together, a provider is asked by so many at a time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../src/core/errors.ts'
import { createRefreshQueue } from '../../src/gate/refresh-queue.ts'

test('a thousand at once: fifty under way, all are done, in their order', async () => {
  const queue = createRefreshQueue(10_000)
  const begun: number[] = []
  let [running, most] = [0, 0]
  const ask = (index: number) =>
    queue.run(async () => {
      begun.push(index)
      most = Math.max(most, ++running)
      await sleep(1)
      running--
      if (index % 7 === 0) throw new Error('the provider said no')
      return index
    })
  const outcomes = await Promise.allSettled(Array.from({ length: 1000 }, (_, index) => ask(index)))
  assert.equal(most, 50)
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1000 - 143)
  assert.deepEqual(
    begun,
    Array.from({ length: 1000 }, (_, index) => index),
  )
  assert.equal(await queue.run(async () => 'again'), 'again')
})

test('a provider that hangs holds nobody for longer than its timeout, and the turns come back', async () => {
  const queue = createRefreshQueue(20, 2)
  const end = Promise.withResolvers<void>()
  const hanging = [queue.run(() => end.promise), queue.run(() => end.promise)]
  await assert.rejects(
    queue.run(async () => 'never'),
    (error) => error instanceof GatewayError && error.code === 'provider_unreachable',
  )
  end.resolve()
  await Promise.all(hanging)
  const later = await Promise.all([queue.run(async () => 1), queue.run(async () => 2), queue.run(async () => 3)])
  assert.deepEqual(later, [1, 2, 3])
})
