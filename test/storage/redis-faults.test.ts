/** How the Redis store fails: at once, never as "absent", never with another's reply, and not for longer than it must. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { type Log, silentLog } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'
import { openRedisKeyValue } from '../../src/storage/redis.ts'
import { followRedisOptions, type RedisOptions } from '../../src/storage/redis-options.ts'
import { until } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'

const down = { code: 'store_unreachable', status: 503, retryAfter: 5 }

async function open(t: TestContext, options: RedisOptions, log: Log = silentLog): Promise<KeyValue> {
  const kv = await openRedisKeyValue(options, { log })
  t.after(() => kv.close())
  return kv
}

const heals = (kv: KeyValue) =>
  until(
    () =>
      kv.get('a').then(
        () => kv.state().ready,
        () => false,
      ),
    'it heals',
    5000,
  )

async function timed(work: Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work.catch(() => {})
  return performance.now() - began
}

test('a server that hangs: each command ends in time, then all fail at once, and no reply is ever shifted', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const kv = await open(t, redis.options({ timeout: 300 }))
  for (const key of ['a', 'b', 'c']) await kv.set(key, `value of ${key}`, 60_000)
  redis.freeze()
  const first = ['a', 'b', 'c', 'a', 'b', 'c'].map((key) => kv.get(key))
  for (const outcome of await Promise.allSettled(first)) {
    assert.equal(outcome.status, 'rejected')
    assert.equal(outcome.reason.code, 'store_unreachable')
  }
  await assert.rejects(kv.get('a'), down)
  assert.ok((await timed(kv.get('a'))) < 50, 'the breaker is open')
  assert.equal(kv.state().ready, false)
  redis.thaw()
  await heals(kv)
  for (const key of ['c', 'a', 'b']) assert.equal(await kv.get(key), `value of ${key}`)
})

test('a connection that hangs is noticed though nothing is asked, by whoever listens', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const kv = await open(t, redis.options({ timeout: 200 }))
  const states: boolean[] = []
  await kv.subscribe(
    'news',
    () => {},
    (connected) => states.push(connected),
  )
  redis.freeze()
  await until(() => states.at(-1) === false, 'the silence is noticed', 1700)
  redis.thaw()
  await until(() => states.at(-1) === true, 'it heals', 5000)
})

test('one slow answer is one failure, and its late reply goes to no other command', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const kv = await open(t, redis.options({ timeout: 200 }))
  await kv.set('a', 'value of a', 60_000)
  await kv.set('b', 'value of b', 60_000)
  redis.freeze()
  await assert.rejects(kv.get('a'), down)
  redis.thaw()
  assert.deepEqual(await Promise.all(['b', 'a', 'none'].map((key) => kv.get(key))), [
    'value of b',
    'value of a',
    undefined,
  ])
})

test('a server that is gone, and one that was not there at the start', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  await redis.kill()
  const kv = await open(t, redis.options())
  const states: boolean[] = []
  const heard: string[] = []
  await kv.subscribe(
    'news',
    (message) => heard.push(message),
    (connected) => states.push(connected),
  )
  assert.deepEqual(states, [false])
  await assert.rejects(kv.set('a', '1', 1000), down)
  assert.match(kv.state().detail ?? '', /ECONNREFUSED/)
  for (let round = 0; round < 2; round++) {
    await redis.start()
    await heals(kv)
    await kv.publish('news', `round ${round}`)
    await until(() => heard.length === round + 1, 'subscribed again')
    await redis.kill()
    await until(() => !kv.state().ready, 'the loss is noticed')
    await assert.rejects(kv.publish('news', 'x'), down)
  }
  assert.deepEqual(states, [false, true, false, true, false])
})

test('nothing waits in a queue without end', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const kv = await open(t, redis.options({ timeout: 1000 }))
  redis.freeze()
  const waiting = Array.from({ length: 12_000 }, () => kv.get('a').catch((error: Error) => error.message))
  const early = await Promise.race([waiting[11_999], waiting[0]])
  assert.match(String(early), /10000 commands are waiting already/)
  redis.thaw()
  await Promise.all(waiting)
})

test('a value of another kind under one of our keys is none of ours', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const options = redis.options()
  const kv = await open(t, options)
  const plant = () => redis.command('RPUSH', `${options.prefix}a`, 'x')
  await plant()
  assert.equal(await kv.get('a'), undefined)
  assert.equal(await kv.take('a'), undefined)
  assert.equal(await kv.swap('a', '', 'mine', 1000), false)
  await kv.set('a', 'mine', 1000)
  assert.equal(await kv.get('a'), 'mine')
})

test('a password: wrong, right, and changed while running', async (t) => {
  const redis = await startRedis(t, { args: ['--requirepass', 'first-password'], password: 'first-password' })
  if (redis === undefined) return
  const lines: string[] = []
  const log = { ...silentLog, warn: (fields: object, message: string) => lines.push(JSON.stringify([fields, message])) }
  let latest = redis.options({ password: new Secret('wrong-password') })
  const kv = await open(
    t,
    followRedisOptions(latest, () => latest),
    log,
  )
  await assert.rejects(kv.get('a'), { ...down, message: /WRONGPASS/ })
  latest = { ...latest, password: new Secret('first-password') }
  await heals(kv)
  assert.doesNotMatch(lines.join(), /first-password|wrong-password/)
})

test('the user of the manual may do what is needed', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const [, written = ''] = /^ACL (SETUSER doorward .*)$/m.exec(readFileSync('docs/sessions.md', 'utf8')) ?? []
  await redis.command('ACL', ...written.replace('PASSWORD', 'a-password').split(' '))
  const user = { username: 'doorward', password: new Secret('a-password') }
  const kv = await open(t, redis.options({ ...user, prefix: 'doorward:' }))
  const heard: string[] = []
  await kv.subscribe('news', (message) => heard.push(message))
  assert.deepEqual(kv.state(), { ready: true })
  assert.ok(await kv.add('a', '1', 60_000))
  assert.ok(await kv.swap('a', '1', '2', 60_000))
  assert.ok(await kv.extend('a', 60_000))
  await kv.delete('a', 'x')
  assert.equal(await kv.take('a'), '2')
  await kv.delete('a')
  await kv.publish('news', 'heard')
  await until(() => heard.length === 1, 'messages')
  const other = await open(t, redis.options({ ...user, prefix: 'somebody-else:' }))
  await assert.rejects(other.get('a'), { ...down, message: /NOPERM/ })
})

test('a replica that takes no writes is no store, and one that is full still lets people read', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const options = redis.options()
  const writer = await open(t, options)
  await writer.set('a', '1', 60_000)
  await redis.command('CONFIG', 'SET', 'maxmemory', '1')
  await assert.rejects(writer.set('b', '1', 1000), { ...down, message: /OOM/ })
  assert.equal(await writer.get('a'), '1')
  const late = await open(t, options)
  assert.equal(await late.get('a'), '1')
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
  await redis.command('REPLICAOF', '127.0.0.1', '1')
  await assert.rejects(writer.set('b', '1', 1000), { ...down, message: /READONLY/ })
  await assert.rejects(writer.get('a'), down)
  const reader = await open(t, options)
  await assert.rejects(reader.get('a'), { ...down, message: /READONLY/ })
  await redis.command('REPLICAOF', 'NO', 'ONE')
  await heals(writer)
  await heals(reader)
})

test('TLS: the right authority, none, and another name', async (t) => {
  const certificates = 'test/proxy/certificates'
  const port = String(await (await import('../support/free-port.ts')).freePort())
  const redis = await startRedis(t, {
    args: [
      ...[
        '--tls-port',
        port,
        '--tls-auth-clients',
        'no',
        '--tls-ca-cert-file',
        `${process.cwd()}/${certificates}/ca.pem`,
      ],
      ...['--tls-cert-file', `${process.cwd()}/${certificates}/server.pem`],
      ...['--tls-key-file', `${process.cwd()}/${certificates}/server.key.pem`],
    ],
  })
  if (redis === undefined) return
  const topology = { kind: 'standalone', node: { host: '127.0.0.1', port: Number(port) }, database: 0 } as const
  const withTls = (caFile: string | undefined, serverName?: string) =>
    open(t, redis.options({ topology, tls: { caFile, serverName } }))
  const good = await withTls(`${certificates}/ca.pem`)
  await good.set('a', '1', 1000)
  assert.equal(await good.get('a'), '1')
  await assert.rejects((await withTls(undefined)).get('a'), { ...down, message: /unable to verify|self-signed/ })
  await assert.rejects((await withTls(`${certificates}/ca.pem`, 'other.example')).get('a'), down)
  await assert.rejects((await withTls('/nowhere/ca.pem')).get('a'), { ...down, message: /ENOENT/ })
})
