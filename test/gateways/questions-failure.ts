/** Doorward is away, slow, or cannot tell: the door is closed, and opens again by itself. */
import assert from 'node:assert/strict'
import { signedIn, until } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'
import { cookieHeader, type GatewayUnderTest } from './gateway-under-test.ts'
import { navigation, type Question } from './question.ts'

/** Whoever is signed in is told that something is broken, and not sent to sign in; nobody gets anything. */
async function assertClosed(gateway: GatewayUnderTest, cookie: string): Promise<void> {
  const { result, reached } = await gateway.during(() =>
    Promise.all([
      statusOf(gateway, { target: '/x', cookie }),
      statusOf(gateway, { target: '/x', cookie, headers: navigation }),
      statusOf(gateway, { target: '/admin/x' }),
    ]),
  )
  assert.deepEqual(reached, [])
  const [script = noAnswer, page = noAnswer, anonymous] = result
  assert.ok(script >= 403 && page >= 403, `${script}, ${page}`)
  assert.notEqual(anonymous, 200)
}

/** Neither is a request that hangs until its client gives up a request that passes. */
const noAnswer = 599

const statusOf = async (gateway: GatewayUnderTest, question: Parameters<GatewayUnderTest['ask']>[0]) =>
  (await gateway.tryToAsk(question))?.status

const assertOpenAgain = (gateway: GatewayUnderTest, cookie: string) =>
  until(async () => (await statusOf(gateway, { target: '/x', cookie })) === 200, 'the door opens again', 8000)

async function closedWithout(gateway: GatewayUnderTest): Promise<void> {
  const cookie = await gateway.cookieOf('bob')
  await gateway.wires.questions.cut()
  await assertClosed(gateway, cookie)
  await gateway.wires.questions.mend()
  await assertOpenAgain(gateway, cookie)
}

async function closedWhileItHangs(gateway: GatewayUnderTest): Promise<void> {
  const cookie = await gateway.cookieOf('bob')
  gateway.wires.questions.hang()
  await assertClosed(gateway, cookie)
  await gateway.wires.questions.mend()
  await assertOpenAgain(gateway, cookie)
}

const withoutItsStore: Question = {
  name: 'Closed while Doorward has lost its store',
  async answer(gateway, t) {
    const redis = await startRedis(t)
    if (redis === undefined) return
    const url = `redis://127.0.0.1:${redis.port}`
    const session = { store: 'redis', secret: 'a-key-text-for-journeys-0123456789' }
    const world = await gateway.exchange(t, {
      config: { session, redis: { url, timeout: '200ms' } },
      errorsExpected: true,
    })
    const cookie = cookieHeader(await signedIn(world, 'bob', '/signed-in'), gateway.origin)
    await assertOpenAgain(gateway, cookie)
    await redis.kill()
    await until(async () => (await statusOf(gateway, { target: '/x', cookie })) !== 200, 'the loss is noticed', 8000)
    await assertClosed(gateway, cookie)
  },
}

export const slowQuestion: Question = {
  name: 'Closed while Doorward does not answer',
  answer: closedWhileItHangs,
}

export const failureQuestions: readonly Question[] = [
  withoutItsStore,
  slowQuestion,
  { name: 'Closed while Doorward is down, and open again afterwards', answer: closedWithout },
]
