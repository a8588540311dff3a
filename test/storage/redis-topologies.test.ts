/** Sentinel and Cluster, for real: who is asked, and what happens when a primary is gone. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import type { KeyValue } from '../../src/storage/key-value.ts'
import { openRedisKeyValue } from '../../src/storage/redis.ts'
import { keyValueContract } from '../contracts/key-value.ts'
import { until } from '../support/gateway.ts'
import { agingClock, type RedisServer, startRedis } from '../support/redis.ts'

test('Sentinel: the primary is found, and another one after it fails', async (t) => {
  const primary = await startRedis(t)
  if (primary === undefined) return
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(primary.port)] })
  const file = [
    `sentinel monitor mymaster 127.0.0.1 ${primary.port} 1`,
    'sentinel down-after-milliseconds mymaster 300',
    'sentinel failover-timeout mymaster 3000',
    '',
  ].join('\n')
  const sentinel = await startRedis(t, { file, sentinel: true })
  assert.ok(replica !== undefined && sentinel !== undefined)
  await until(async () => String(await replica.command('ROLE')).includes('connected'), 'the replica follows', 10_000)
  await until(
    async () =>
      JSON.stringify(await sentinel.command('SENTINEL', 'REPLICAS', 'mymaster')).includes(String(replica.port)),
    'the sentinel knows the replica',
    15_000,
  )
  const nobody = { host: '127.0.0.1', port: 1 }
  const sentinels = [nobody, { host: '127.0.0.1', port: sentinel.port }]
  const topology = { kind: 'sentinel', name: 'mymaster', sentinels, database: 0 } as const
  const kv = await openRedisKeyValue(
    primary.options({ topology: { ...topology, username: undefined, password: undefined } }),
    { log: silentLog },
  )
  t.after(() => kv.close())
  const heard: string[] = []
  await kv.subscribe('news', (message) => heard.push(message))
  await serves(kv, 10_000)
  await kv.set('kept', '1', 60_000)
  await until(async () => (await replica.command('DBSIZE')) === (await primary.command('DBSIZE')), 'replicated', 5000)
  await primary.kill()
  await until(
    () =>
      kv.get('kept').then(
        () => false,
        () => true,
      ),
    'the loss is noticed',
  )
  await serves(kv, 15_000)
  assert.equal(await kv.get('kept'), '1')
  await kv.publish('news', 'from the new primary')
  await until(() => heard.length === 1, 'messages come from the new primary')
})

test('Cluster: every key finds its shard, and the contract holds', async (t) => {
  const nodes: RedisServer[] = []
  for (let index = 0; index < 3; index++) {
    const node = await startRedis(t, { args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'] })
    if (node === undefined) return
    nodes.push(node)
  }
  await formCluster(nodes)
  const [first] = nodes
  assert.ok(first !== undefined)
  const topology = { kind: 'cluster', nodes: nodes.map(({ port }) => ({ host: '127.0.0.1', port })) } as const
  const open = async () => {
    const options = first.options({ topology })
    const clock = agingClock(first, options.prefix)
    const advance = async (milliseconds: number) => {
      for (const node of nodes) await node.age(options.prefix, milliseconds)
    }
    return { kv: await openRedisKeyValue(options, { log: silentLog }), clock: { ...clock, advance } }
  }
  await keyValueContract('redis cluster', open, t)
  await t.test('keys lie on all shards, and one that is gone takes its own keys alone', (t) =>
    loseShard(t, nodes, open),
  )
})

async function loseShard(
  t: TestContext,
  nodes: readonly RedisServer[],
  open: () => Promise<{ kv: KeyValue }>,
): Promise<void> {
  const { kv } = await open()
  t.after(() => kv.close())
  const keys = Array.from({ length: 30 }, (_, n) => `key ${n}`)
  for (const key of keys) await kv.set(key, key, 60_000)
  for (const node of nodes) assert.ok(Number(await node.command('DBSIZE')) > 0)
  await nodes[0]!.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
  await nodes[1]!.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
  await nodes[2]!.kill()
  const outcomes = await Promise.allSettled(keys.map((key) => kv.get(key)))
  const failed = outcomes.filter(({ status }) => status === 'rejected')
  assert.ok(failed.length > 0 && failed.length < keys.length, `${failed.length} of ${keys.length} failed`)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'store_unreachable')
    else assert.match(outcome.value ?? 'absent', /^key \d+$/)
  }
}

async function formCluster(nodes: readonly RedisServer[]): Promise<void> {
  const share = Math.ceil(16_384 / nodes.length)
  for (const [index, node] of nodes.entries()) {
    const last = Math.min((index + 1) * share, 16_384) - 1
    await node.command('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last))
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    if (index > 0) await node.command('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]!.port))
  }
  for (const node of nodes) {
    const ready = async () =>
      /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(await node.command('CLUSTER', 'INFO')))
    await until(ready, 'the cluster forms', 20_000)
  }
}

const serves = (kv: KeyValue, patience: number) =>
  until(
    () =>
      kv.set('probe', '1', 1000).then(
        () => kv.state().ready,
        () => false,
      ),
    'it serves',
    patience,
  )
