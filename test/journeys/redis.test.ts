/** Several gateways over one real Redis: one refresh for all, logout everywhere, and a store that fails. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seconds } from '../support/clock.ts'
import { signedIn, until } from '../support/gateway.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { type Answer, startReplicas } from '../support/replicas.ts'

const statusesOf = (answers: readonly Answer[]) => [...new Set(answers.map(({ status }) => status))]

test('replicas over one Redis', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  for (const kept of ['redis', 'cookie'] as const) await sharedJourneys(t, redis, kept)
  await seenAtOnce(t, redis)
  await failures(t, redis)
})

async function sharedJourneys(t: TestContext, redis: RedisServer, kept: 'redis' | 'cookie'): Promise<void> {
  await t.test(`a session that began at one is known at all (${kept})`, async (t) => {
    const { gateway, ask, cookieOf } = await startReplicas(t, redis, { kept })
    const cookie = cookieOf(await signedIn(gateway))
    for (const index of [1, 2]) {
      assert.equal((await ask(index, { cookie })).status, 200)
      assert.equal(gateway.application.last().headers['x-auth-user'], 'ada')
    }
  })

  await t.test(`2,000 requests of one expired session over three gateways are one refresh (${kept})`, async (t) => {
    const { gateway, ask, cookieOf } = await startReplicas(t, redis, { kept })
    const cookie = cookieOf(await signedIn(gateway))
    gateway.idp.accounts.change('ada', { groups: ['/new'] })
    assert.equal(gateway.idp.counts.token, 1)
    gateway.clock.move(320 * seconds)
    const answers = await Promise.all(Array.from({ length: 2000 }, (_, n) => ask(n % 3, { cookie })))
    assert.deepEqual(statusesOf(answers), [200])
    assert.equal(gateway.idp.counts.token, 2)
    for (const index of [0, 1, 2]) {
      assert.equal((await ask(index, { cookie })).status, 200)
      assert.equal(gateway.application.last().headers['x-auth-groups'], '/new')
    }
    assert.equal(gateway.idp.counts.token, 2, 'the old cookie spends no token twice')
    gateway.clock.move(320 * seconds)
    const again = await Promise.all(Array.from({ length: 30 }, (_, n) => ask(n % 3, { cookie })))
    assert.deepEqual(statusesOf(again), [200])
    assert.equal(gateway.idp.counts.token, 3)
  })

  await t.test(`a logout at one ends the session at all of them within a second (${kept})`, async (t) => {
    const { gateway, ask, cookieOf } = await startReplicas(t, redis, { kept })
    const browser = await signedIn(gateway)
    const cookie = cookieOf(browser)
    for (const index of [0, 1, 2]) assert.equal((await ask(index, { cookie })).status, 200)
    await ask(1, { path: '/_doorward/logout', method: 'POST', cookie })
    const ended = async (index: number) => (await ask(index, { cookie })).status === 401
    await until(async () => (await ended(0)) && (await ended(1)) && (await ended(2)), 'no replica knows it', 1000)
    gateway.clock.move(320 * seconds)
    for (const index of [0, 1, 2]) assert.ok(await ended(index))
  })

  await t.test(`a replica that starts later knows what was ended before (${kept})`, async (t) => {
    const { gateway, ask, grow, cookieOf } = await startReplicas(t, redis, { kept, count: 1 })
    const cookie = cookieOf(await signedIn(gateway))
    assert.equal((await ask(await grow(), { cookie })).status, 200)
    await ask(0, { path: '/_doorward/logout', method: 'POST', cookie })
    assert.equal((await ask(await grow(), { cookie })).status, 401)
  })
}

async function seenAtOnce(t: TestContext, redis: RedisServer): Promise<void> {
  await t.test('what one replica renews the others have too, without waiting for their own turn', async (t) => {
    const { gateway, ask, cookieOf } = await startReplicas(t, redis, { kept: 'redis' })
    const cookie = cookieOf(await signedIn(gateway))
    for (const index of [0, 1, 2]) assert.equal((await ask(index, { cookie })).status, 200)
    gateway.idp.accounts.change('ada', { groups: ['/new'] })
    assert.equal((await ask(1, { path: '/_doorward/session/refresh', method: 'POST', cookie })).status, 200)
    for (const index of [0, 2]) {
      await until(async () => {
        await ask(index, { cookie })
        return gateway.application.last().headers['x-auth-groups'] === '/new'
      }, 'the new groups')
    }
    assert.equal(gateway.idp.counts.token, 2)
  })
}

async function failures(t: TestContext, redis: RedisServer): Promise<void> {
  await t.test('Redis that hangs is 503 and never a login, and heals by itself in less than 5 s', async (t) => {
    const { gateway, ask, cookieOf } = await startReplicas(t, redis, { kept: 'redis', errorsExpected: true })
    const cookie = cookieOf(await signedIn(gateway))
    redis.freeze()
    try {
      await until(async () => (await ask(0, { cookie })).status === 503, 'the loss is noticed', 4000)
      for (const index of [0, 1, 2]) {
        for (const navigation of [true, false]) {
          const answer = await ask(index, { cookie, navigation })
          assert.equal(answer.status, 503)
          assert.ok(Number(answer.headers['retry-after']) > 0)
          assert.equal(answer.headers['set-cookie'], undefined, 'no cookie is taken from anybody')
        }
        assert.equal((await ask(index, { path: '/public/x' })).status, 200, 'public routes need no store')
        await until(async () => (await ask(index, { path: '/readyz', from: 'operations' })).status === 503, 'unready')
        assert.equal((await ask(index, { path: '/healthz', from: 'operations' })).status, 200)
      }
      const began = performance.now()
      await ask(0, { cookie })
      assert.ok(performance.now() - began < 250, 'the breaker answers at once')
    } finally {
      redis.thaw()
    }
    for (const index of [0, 1, 2]) {
      await until(async () => (await ask(index, { cookie })).status === 200, 'it heals', 5000)
      await until(async () => (await ask(index, { path: '/readyz', from: 'operations' })).status === 200, 'ready', 5000)
    }
  })

  await t.test('Redis killed is 503; started again it is empty, and people sign in once', async (t) => {
    const { gateway, ask, cookieOf } = await startReplicas(t, redis, { kept: 'redis', errorsExpected: true })
    const browser = await signedIn(gateway)
    const cookie = cookieOf(browser)
    await redis.kill()
    await until(async () => (await ask(0, { cookie })).status === 503, 'the loss is noticed')
    assert.equal((await ask(1, { cookie, navigation: true })).status, 503)
    assert.match(await gateway.metrics(), /store_connected\{link="commands"\} 0/)
    await redis.start()
    await until(async () => (await ask(0, { cookie })).status !== 503, 'it heals', 5000)
    assert.match(await gateway.metrics(), /store_connected\{link="commands"\} 1/)
    assert.match(await gateway.metrics(), /store_connects_total\{link="commands"\} 2/)
    assert.match(await gateway.metrics(), /store_failures_total\{link="commands"\} [1-9]/)
    const page = await browser.navigate(gateway.origin)
    assert.equal(page.status, 200)
    const asked = page.hops.filter(({ url }) => url.startsWith(`${gateway.issuer}/auth?`))
    assert.equal(asked.length, 1, 'one way around, and no more')
    assert.equal((await ask(2, { cookie })).status, 401)
    const fresh = cookieOf(browser)
    for (const index of [0, 1, 2]) assert.equal((await ask(index, { cookie: fresh })).status, 200)
  })

  await t.test('Redis wiped: affected people sign in once more, and nobody sees an error', async (t) => {
    const { gateway, ask, cookieOf } = await startReplicas(t, redis, { kept: 'redis' })
    const cookie = cookieOf(await signedIn(gateway))
    await redis.command('FLUSHALL')
    for (const index of [1, 2]) {
      const answer = await ask(index, { cookie, navigation: true })
      assert.equal(answer.status, 302)
      assert.ok(String(answer.headers['set-cookie']).includes('=;'), 'the useless cookie goes')
    }
    const fresh = cookieOf(await signedIn(gateway))
    for (const index of [0, 1, 2]) assert.equal((await ask(index, { cookie: fresh })).status, 200)
  })
}
