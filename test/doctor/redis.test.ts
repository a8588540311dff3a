/** Faults of the store, planted on real Redis servers. */
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { redis as examination } from '../../src/cli/doctor/redis.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'
import { configOf, type Keys, patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('redis')
const certificate = (name: string) => fileURLToPath(new URL(`../proxy/certificates/${name}`, import.meta.url))
const password = 'the-password-of-redis'

function examine(t: TestContext, redis: Keys, store = 'redis') {
  const session = { store, secret: 'a-key-text-for-the-doctor-0123456789' }
  return examination.examine(patientWith(configOf(t, { redis, session })))
}

test('a server without a password', async (t) => {
  const server = await startRedis(t)
  if (server === undefined) return
  const url = `redis://127.0.0.1:${server.port}`
  tally.healthy(await examine(t, { url }))
  tally.healthy(await examine(t, { url }, 'cookie'))
  tally.planted('redis-password-unchecked', await examine(t, { url, password }))
  tally.planted('redis-without-tls', await examine(t, { url: `rediss://127.0.0.1:${server.port}` }))
  tally.planted('redis-is-no-cluster', await examine(t, { cluster: [`127.0.0.1:${server.port}`] }))
  tally.planted('redis-database', await examine(t, { url: `${url}/99` }))
  await server.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru')
  tally.planted('redis-evicts', await examine(t, { url }))
  await server.command('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction')
  tally.planted('redis-full', await examine(t, { url }))
  await server.command('CONFIG', 'SET', 'maxmemory', '0')
  await server.command('ACL', 'SETUSER', 'reader', 'on', `>${password}`, '~*', '&*', '+@read', '+@connection')
  tally.planted('redis-not-permitted', await examine(t, { url, username: 'reader', password }))
  const all = ['on', `>${password}`, '~*', '&*', '+@all']
  for (const [user, rules] of [
    ['no-scripts', [...all, '-eval']],
    ['no-getdel', [...all, '-getdel']],
    ['no-publish', [...all, '-publish']],
    ['no-subscribe', [...all, '-subscribe']],
    ['no-channels', ['on', `>${password}`, '~*', 'resetchannels', '+@all']],
    ['other-keys', ['on', `>${password}`, '~elsewhere:*', '&*', '+@all']],
  ] as const) {
    await server.command('ACL', 'SETUSER', user, ...rules)
    tally.planted('redis-not-permitted', await examine(t, { url, username: user, password }))
  }
  const least = ['~doorward:*', '&doorward:*', '+@all', '-@dangerous']
  await server.command('ACL', 'SETUSER', 'least', 'on', `>${password}`, ...least)
  // That nobody needs it here is all there is to say of this one.
  tally.planted('redis-password-unchecked', await examine(t, { url, username: 'least', password }))
  await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1')
  tally.planted('redis-full', await examine(t, { url }))
  await server.command('CONFIG', 'SET', 'min-replicas-to-write', '0')
  for (const policy of ['volatile-lru', 'allkeys-random']) {
    await server.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', policy)
    tally.planted('redis-evicts', await examine(t, { url }))
  }
  await server.command('CONFIG', 'SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction')
  server.freeze()
  tally.planted('redis-silent', await examine(t, { url }))
  server.thaw()
})

test('a server with a password', async (t) => {
  const server = await startRedis(t, { args: ['--requirepass', password], password })
  if (server === undefined) return
  const url = `redis://127.0.0.1:${server.port}`
  tally.healthy(await examine(t, { url, password }))
  tally.planted('redis-password-missing', await examine(t, { url }))
  tally.planted('redis-wrong-password', await examine(t, { url, password: 'another-password' }))
})

test('a server with commands renamed, and one that is full of connections', async (t) => {
  const server = await startRedis(t, { args: ['--rename-command', 'EVAL', ''] })
  if (server === undefined) return
  tally.planted('redis-not-permitted', await examine(t, { url: `redis://127.0.0.1:${server.port}` }))
  const crowded = await startRedis(t, { args: ['--maxclients', '1'] })
  tally.planted('redis-full', await examine(t, { url: `redis://127.0.0.1:${crowded!.port}` }))
})

test('nobody there, or no such name', async (t) => {
  tally.planted('redis-unreachable', await examine(t, { url: `redis://127.0.0.1:${await freePort()}` }))
  tally.planted('redis-unreachable', await examine(t, { url: 'redis://redis.invalid:6379' }))
})

test('a replica takes no writes', async (t) => {
  const primary = await startRedis(t)
  if (primary === undefined) return
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(primary.port)] })
  await until(async () => String(await replica!.command('ROLE')).includes('connected'), 'the replica follows', 10_000)
  tally.planted('redis-read-only', await examine(t, { url: `redis://127.0.0.1:${replica!.port}` }))
})

test('one server of a cluster, named alone', async (t) => {
  const server = await startRedis(t, { args: ['--cluster-enabled', 'yes'] })
  if (server === undefined) return
  await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '1')
  await server.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
  tally.planted('redis-not-ready', await examine(t, { url: `redis://127.0.0.1:${server.port}` }))
})

test('one server of a cluster whose keys are elsewhere', async (t) => {
  const bus = await freePort()
  const start = (port: number) => startRedis(t, { args: ['--cluster-enabled', 'yes', '--cluster-port', String(port)] })
  const [one, other] = [await start(await freePort()), await start(bus)]
  if (one === undefined || other === undefined) return
  const [slot, last] = [Number(await one.command('CLUSTER', 'KEYSLOT', 'doorward:doctor')), 16383]
  await other.command('CLUSTER', 'ADDSLOTSRANGE', String(slot), String(slot))
  await one.command('CLUSTER', 'ADDSLOTSRANGE', '0', String(slot - 1), String(slot + 1), String(last))
  await one.command('CLUSTER', 'MEET', '127.0.0.1', String(other.port), String(bus))
  const isWhole = async () => /cluster_state:ok/.test(String(await one.command('CLUSTER', 'INFO')))
  await until(isWhole, 'the cluster is whole', 10_000)
  tally.planted('redis-is-cluster', await examine(t, { url: `redis://127.0.0.1:${one.port}` }))
  tally.healthy(await examine(t, { cluster: [`127.0.0.1:${one.port}`] }))
})

test('Sentinel', async (t) => {
  const primary = await startRedis(t)
  if (primary === undefined) return
  const file = `sentinel monitor mymaster 127.0.0.1 ${primary.port} 1\n`
  const sentinel = await startRedis(t, { file, sentinel: true })
  const nodes = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${sentinel!.port}`]
  tally.healthy(await examine(t, { sentinels: { name: 'mymaster', nodes } }))
  tally.planted('redis-sentinel-name', await examine(t, { sentinels: { name: 'theirs', nodes } }))
  await sentinel!.kill()
  tally.planted('redis-unreachable', await examine(t, { sentinels: { name: 'mymaster', nodes } }))
})

test('TLS', async (t) => {
  const port = await freePort()
  const tls = ['--tls-port', String(port), '--tls-cert-file', certificate('server.pem')]
  const key = ['--tls-key-file', certificate('server.key.pem'), '--tls-ca-cert-file', certificate('ca.pem')]
  const server = await startRedis(t, { args: [...tls, ...key, '--tls-auth-clients', 'no'] })
  if (server === undefined) return
  const ca = certificate('ca.pem')
  tally.healthy(await examine(t, { url: `rediss://localhost:${port}`, tls: { ca } }))
  tally.planted('redis-expects-tls', await examine(t, { url: `redis://127.0.0.1:${port}` }))
  tally.planted('redis-certificate', await examine(t, { url: `rediss://localhost:${port}` }))
  const renamed = { ca, serverName: 'redis.example.com' }
  tally.planted('redis-certificate', await examine(t, { url: `rediss://localhost:${port}`, tls: renamed }))
})

test('a slow way to it', async (t) => {
  const server = await startRedis(t)
  if (server === undefined) return
  const slow = await startSlowWay(t, server.port, 40)
  tally.planted('redis-slow', await examine(t, { url: `redis://127.0.0.1:${slow}`, timeout: '60ms' }))
  tally.healthy(await examine(t, { url: `redis://127.0.0.1:${slow}`, timeout: '2s' }))
})

test('a server older than what it is asked for', async (t) => {
  const server = await startRedis(t)
  if (server === undefined) return
  // All of it is real but the version it tells, which keeps its length.
  const older = await startWay(t, server.port, (text) => text.replace(/^(redis_version:)\d\./m, '$15.'))
  tally.planted('redis-too-old', await examine(t, { url: `redis://127.0.0.1:${older}` }))
})

const startSlowWay = (t: TestContext, target: number, delay: number) => startWay(t, target, (text) => text, delay)

/** Hands on what the server says after a change, and holds every piece back, on its way there and on its way back. */
async function startWay(t: TestContext, target: number, change: (text: string) => string, delay = 0): Promise<number> {
  const late = (from: net.Socket, to: net.Socket, changed = (text: string) => text) =>
    from.on('data', (bytes) => {
      const text = changed(bytes.toString('latin1'))
      setTimeout(() => to.writable && to.write(text, 'latin1'), delay)
    })
  const sockets = new Set<net.Socket>()
  const server = net.createServer((near) => {
    const far = net.connect(target, '127.0.0.1')
    late(near, far)
    late(far, near, change)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
