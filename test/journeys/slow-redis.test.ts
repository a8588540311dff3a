/** Redis that is slow, or stops in the middle of an answer, seen through whole gateways. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seconds } from '../support/clock.ts'
import { signedIn, until } from '../support/gateway.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { type Answer, type ReplicaOptions, type Replicas, startReplicas } from '../support/replicas.ts'
import { type SlowRelay, startSlowRelay } from '../support/slow-relay.ts'

/** Of `redis.timeout`, where the file says nothing. */
const usualTimeout = 500

interface World extends Replicas {
  readonly relay: SlowRelay
}

async function openWorld(
  t: TestContext,
  redis: RedisServer,
  kept: 'redis' | 'cookie',
  more: Pick<ReplicaOptions, 'session' | 'errorsExpected'> & { readonly timeout?: string } = {},
): Promise<World> {
  const { timeout, ...options } = more
  const relay = await startSlowRelay(t, redis.port)
  const replicas = await startReplicas(
    t,
    { ...redis, port: relay.port },
    { ...options, kept, count: 2, ...(timeout !== undefined && { redis: { timeout } }) },
  )
  return { ...replicas, relay }
}

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const began = performance.now()
  return [await work, performance.now() - began]
}

/** The store is away: nobody is let in, sent to sign in, or signed out. */
function isUnavailable(answer: Answer, what: string): void {
  assert.equal(answer.status, 503, what)
  assert.ok(Number(answer.headers['retry-after']) > 0, what)
  assert.equal(answer.headers.location, undefined, what)
  assert.equal(answer.headers['set-cookie'], undefined, what)
}

const statusOf = async ({ ask }: World, index: number, path: string) =>
  (await ask(index, { path, from: 'operations' })).status

for (const kept of ['redis', 'cookie'] as const) {
  test(`200 ms an answer: known sessions do not notice, others wait, and all goes on (${kept})`, async (t) => {
    const redis = await startRedis(t)
    if (redis === undefined) return
    const world = await openWorld(t, redis, kept)
    const { gateway, ask, cookieOf, relay } = world
    const ada = await signedIn(gateway)
    const cookie = cookieOf(ada)
    relay.delay(200)
    for (let count = 0; count < 5; count++) {
      const [known, took] = await timed(ask(0, { cookie }))
      assert.equal(known.status, 200)
      assert.ok(took < 200, `${took} ms: no answer of Redis is waited for`)
    }
    const [met, waited] = await timed(ask(1, { cookie }))
    assert.equal(met.status, 200)
    assert.ok(waited >= 200)
    assert.equal(gateway.application.last().headers['x-auth-user'], 'ada')
    const bob = cookieOf(await signedIn(gateway, 'bob'))
    assert.equal((await ask(1, { cookie: bob })).status, 200)
    assert.equal(gateway.application.last().headers['x-auth-user'], 'bob')
    gateway.clock.move(320 * seconds)
    const during = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(index % 2, { cookie })))
    assert.deepEqual([...new Set(during.map(({ status }) => status))], [200])
    assert.equal(gateway.idp.counts.token, 3, 'two sign-ins, one refresh')
    await ask(1, { path: '/_doorward/logout', method: 'POST', cookie })
    await until(async () => (await ask(0, { cookie })).status === 401, 'the logout is heard')
    for (const index of [0, 1]) assert.equal(await statusOf(world, index, '/readyz'), 200)
    assert.match(await gateway.metrics(), /store_failures_total\{link="commands"\} 0/)
  })

  test(`200 ms an answer: a connection that was lost comes back all the same (${kept})`, async (t) => {
    const redis = await startRedis(t)
    if (redis === undefined) return
    const world = await openWorld(t, redis, kept)
    const { gateway, ask, cookieOf, relay } = world
    const cookie = cookieOf(await signedIn(gateway))
    relay.delay(200)
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await until(async () => (await statusOf(world, 0, '/readyz')) === 200, 'ready again', 5000)
    await until(async () => (await ask(1, { cookie })).status === 200, 'it heals', 5000)
  })

  test(`2 s an answer: 503 in time, then at once, and well again in less than 5 s (${kept})`, async (t) => {
    const redis = await startRedis(t)
    if (redis === undefined) return
    const world = await openWorld(t, redis, kept, { errorsExpected: true })
    const { gateway, ask, cookieOf, relay } = world
    const cookie = cookieOf(await signedIn(gateway))
    relay.delay(2000)
    const [known, took] = await timed(ask(0, { cookie }))
    assert.equal(known.status, 200)
    assert.ok(took < usualTimeout, `${took} ms`)
    const [met, waited] = await timed(ask(1, { cookie, navigation: true }))
    isUnavailable(met, 'a session this replica never met')
    assert.ok(waited >= usualTimeout - 50 && waited < 2 * usualTimeout, `${waited} ms: the timeout of one command`)
    for (const index of [0, 1]) {
      await until(async () => (await statusOf(world, index, '/readyz')) === 503, 'unready', 4000)
      await until(async () => (await ask(index, { cookie })).status === 503, 'marks may be missed', 4000)
      await until(async () => (await timed(ask(index, { cookie })))[1] < 100, 'the breaker is open', 4000)
      for (const navigation of [true, false]) isUnavailable(await ask(index, { cookie, navigation }), `${navigation}`)
      assert.equal(await statusOf(world, index, '/healthz'), 200)
      assert.equal((await ask(index, { path: '/public/x' })).status, 200)
    }
    relay.delay(0)
    const began = performance.now()
    for (const index of [0, 1]) {
      await until(async () => (await ask(index, { cookie })).status === 200, 'it heals', 5000)
      await until(async () => (await statusOf(world, index, '/readyz')) === 200, 'ready', 5000)
    }
    assert.ok(performance.now() - began < 5000)
    assert.equal(gateway.application.last().headers['x-auth-user'], 'ada')
    assert.equal(gateway.idp.counts.token, 1, 'nobody signed in again')
  })

  test(`an answer that stops in the middle is nobody else's (${kept})`, async (t) => {
    const redis = await startRedis(t)
    if (redis === undefined) return
    const world = await openWorld(t, redis, kept, { errorsExpected: true })
    const { gateway, ask, cookieOf, relay } = world
    gateway.application.on('/who', (request, response) => void response.end(request.headers['x-auth-user']))
    const people = await Promise.all(
      ['ada', 'bob', 'ada', 'bob'].map(async (name) => ({ name, cookie: cookieOf(await signedIn(gateway, name)) })),
    )
    const answers: string[] = []
    const askAll = async (index: number): Promise<readonly number[]> =>
      Promise.all(
        people.map(async ({ name, cookie }) => {
          const { status, body } = await ask(index, { path: '/who', cookie, navigation: true })
          if (status === 200) answers.push(`${name} is ${body}`)
          else assert.equal(status, 503)
          return status
        }),
      )
    for (let round = 0; round < 3; round++) {
      relay.stall()
      await until(async () => (await askAll(1)).includes(503), 'the stall is noticed', 4000)
      relay.delay(0)
      await until(async () => (await askAll(1)).every((status) => status === 200), 'it heals', 5000)
    }
    assert.deepEqual([...new Set(answers)].sort(), ['ada is ada', 'bob is bob'])
  })
}

test('the queue is bounded: whoever does not fit is told at once', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  // A session that is met for the first time is looked for among the marks under the name that each key gives its person.
  const secret = Array.from({ length: 80 }, (_, index) => `key number ${index} of a long row, 0f8b1c9d7e6a5f4b`)
  const world = await openWorld(t, redis, 'cookie', { timeout: '10s', session: { secret }, errorsExpected: true })
  const { gateway, relay, ask, cookieOf } = world
  const cookie = cookieOf(await signedIn(gateway))
  relay.delay(60_000)
  let answered = 0
  const early = Array.from({ length: 130 }, async () => {
    isUnavailable(await ask(1, { cookie }), 'asked early')
    answered++
  })
  const commands = /store_commands_total\{link="commands"\} (\d+)/
  await until(
    async () => {
      const { body } = await ask(1, { path: '/metrics', from: 'operations' })
      return Number(commands.exec(body)?.[1]) > 10_000
    },
    'the queue is full',
    9000,
  )
  isUnavailable(await ask(1, { cookie, navigation: true }), 'asked late')
  assert.ok(answered < early.length / 2, 'while those who came early still wait')
  assert.equal((await ask(0, { cookie })).status, 200, 'who is known waits for nobody')
  relay.delay(0)
  await Promise.all(early)
  await until(async () => (await ask(1, { cookie })).status === 200, 'it heals', 5000)
})
