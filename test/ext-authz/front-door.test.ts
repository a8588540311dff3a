/** What goes wrong inside is a no that Envoy understands, whatever it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/errors.ts'
import type { Exchange } from '../../src/http/exchange.ts'
import { createExtAuthzDoor } from '../../src/http/ext-authz/front-door.ts'
import { type CheckResponse, loadMessages } from '../../src/http/ext-authz/messages.ts'
import type { ListenerParts } from '../../src/http/listeners.ts'
import type { RequestHead } from '../../src/http/request-reading.ts'
import { createHostReader } from '../../src/http/request-reading.ts'
import { checkOf, httpOf } from './asking.ts'

const { authorization, check } = await loadMessages()
const question = authorization.Check!.requestSerialize(checkOf(httpOf({ uri: '/x' })))
const read = (bytes: Buffer) => authorization.Check!.responseDeserialize(bytes) as CheckResponse

interface Faults {
  readonly decide: () => unknown
  readonly fail?: () => never
}

/** As much of the parts as the door touches on the way to the fault. */
function doorWith({ decide, fail }: Faults) {
  const logged: unknown[] = []
  const finished: number[] = []
  const current = {
    surroundings: { trusted: { has: () => true }, scheme: 'https', readHost: createHostReader() },
    config: { limits: { headerBytes: 32_768 }, basePath: '/_doorward' },
    trusted: { has: () => true, isEmpty: false },
    gate: { decide },
    refuser: { fail: fail ?? (() => ({ status: 500, headers: { 'cache-control': 'no-store' }, body: 'broken' })) },
    log: { error: (...line: unknown[]) => void logged.push(line) },
  }
  const parts = {
    serving: () => current,
    observer: {
      open: (request: RequestHead): Partial<Exchange<RequestHead>> => ({ request }),
      failed: (_exchange: unknown, error: unknown) => void logged.push(error),
      finished: (_exchange: unknown, status: number) => void finished.push(status),
    },
    witness: { asked() {}, stranger() {} },
  }
  const door = createExtAuthzDoor(parts as unknown as ListenerParts, check)
  const ask = async (isAbandoned = false) =>
    read(await door({ message: question, peer: '127.0.0.1', isAbandoned: () => isAbandoned }))
  return { ask, logged, finished }
}

const faults: Record<string, Faults['decide']> = {
  'an exception': () => {
    throw new TypeError('x is not a function')
  },
  'a promise that fails': () => Promise.reject(new Error('later')),
  'something that is no error': () => Promise.reject('text'),
  'no decision at all': () => undefined,
  'a planned failure': () => {
    throw new GatewayError('store_unreachable')
  },
}

for (const [what, decide] of Object.entries(faults)) {
  test(`${what} is no`, async () => {
    const { ask, logged } = doorWith({ decide })
    const answer = await ask()
    assert.notEqual(answer.status.code, 0)
    assert.equal(answer.ok_response, undefined)
    assert.equal(answer.denied_response?.status.code, 500)
    assert.equal(logged.length, 1)
  })
}

test('and where even saying no fails, there is a last word', async () => {
  const fail = () => {
    throw new Error('no page either')
  }
  const { ask, logged } = doorWith({ decide: faults['an exception']!, fail })
  const answer = await ask()
  assert.equal(answer.status.code, 14)
  assert.equal(answer.denied_response?.status.code, 500)
  assert.equal(answer.denied_response?.headers[0]?.header.value, 'no-store')
  assert.equal(logged.length, 2)
})

test('a gateway that gave up is told of in the log', async () => {
  const { ask, finished } = doorWith({ decide: faults['a planned failure']! })
  await ask(true)
  await ask(false)
  assert.deepEqual(finished, [499, 500])
})
