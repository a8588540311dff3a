/** The store all replicas share: is it there, does it let us in, does it take what we write, is it quick enough. */
import type { RedisConfig } from '../../config/redis-config.ts'
import { dialForCommands, dialForMessages, type RedisConnection } from '../../storage/redis-dial.ts'
import type { RedisNode } from '../../storage/redis-options.ts'
import type { Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { proveCommands, proveListening } from './redis-commands.ts'
import { nodesOf, redisFault } from './redis-fault.ts'
import { speaksTls } from './speaks-tls.ts'

/** The same steps as the running process takes, on connections of its own; it writes one key that lives a second. */
export const redis: Examination = {
  name: 'redis',
  async examine(patient) {
    const { redis: config, session } = patient.config
    if (config === undefined || session.store === 'memory') return []
    let connection: RedisConnection
    try {
      connection = await dialAny(config, patient, dialForCommands)
    } catch (error) {
      const cause = config.topology.kind === 'cluster' ? await causeAtNode(config, config.topology.nodes, error) : error
      return [redisFault(config, cause, await otherScheme(config, cause))]
    }
    try {
      await proveListening(config, await dialAny(config, patient, dialForMessages))
      return await look(config, connection)
    } catch (error) {
      return [redisFault(config, error, undefined)]
    } finally {
      connection.close()
    }
  },
}

/** Each node in turn, as the process does; the first failure is the one told, unless a later one says more. */
async function dialAny<Connection>(
  config: RedisConfig,
  { signal }: Patient,
  dial: (config: RedisConfig, turn: number) => Promise<Connection>,
): Promise<Connection> {
  // A cluster is dialled for commands by all of its nodes at once.
  const atOnce = config.topology.kind === 'cluster' && dial === dialForCommands
  const turns = atOnce ? 1 : nodesOf(config.topology).length
  let told: unknown
  for (let turn = 0; turn < turns && !signal.aborted; turn++) {
    try {
      return await dial(config, turn)
    } catch (error) {
      if (told === undefined || saysMore(error)) told = error
    }
  }
  throw told
}

/** Of a cluster that cannot be had the client says no more than that: one of its servers is asked by itself. */
async function causeAtNode(config: RedisConfig, nodes: readonly RedisNode[], error: unknown): Promise<unknown> {
  const topology = { kind: 'standalone', node: nodes[0]!, database: 0 } as const
  try {
    const connection = await dialForCommands({ ...config, topology }, 0)
    await connection.send(undefined, ['CLUSTER', 'INFO']).finally(() => connection.close())
    return error
  } catch (cause) {
    return cause
  }
}

/** An answer of a server tells more than a node that is down. */
const saysMore = (error: unknown): boolean => error instanceof Error && !('code' in error)

async function look(config: RedisConfig, connection: RedisConnection): Promise<readonly Finding[]> {
  await proveCommands(config, connection)
  const slow = slowness(config, await latencies(connection))
  const open = await openToAll(config)
  if (connection.survivesFailures) return [...slow, ...open]
  const info = String(await connection.send(undefined, ['INFO']).catch(() => ''))
  return [...slow, ...open, ...age(config, info), ...eviction(info)]
}

/** Milliseconds of a few commands, the first of which may still be warming up. */
async function latencies(connection: RedisConnection): Promise<readonly number[]> {
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    await connection.send(undefined, ['PING'])
    times.push(performance.now() - start)
  }
  return times.toSorted((a, b) => a - b)
}

function slowness({ timeout }: RedisConfig, times: readonly number[]): readonly Finding[] {
  const median = Math.round(times[Math.floor(times.length / 2)]!)
  if (median <= timeout / 2) return []
  const tooSlow = median > timeout
  return [
    {
      name: 'redis-slow',
      severity: tooSlow ? 'error' : 'warning',
      place: 'redis.timeout',
      cause: `a PING takes ${median} ms, and one command may take ${timeout} ms`,
      fix: `bring Redis nearer, or write redis.timeout: ${Math.max(timeout, median * 4)}ms`,
    },
  ]
}

/** A server without a password takes any, so the one of the file protects nothing. */
async function openToAll(config: RedisConfig): Promise<readonly Finding[]> {
  if (config.password === undefined) return []
  const anonymous = { ...config, username: undefined, password: undefined }
  const letsIn = await dialForCommands(anonymous, 0).then(closed, () => false)
  if (!letsIn) return []
  return [
    {
      name: 'redis-password-unchecked',
      severity: 'warning',
      place: 'redis.password',
      cause: 'the file has a password, and the server lets in whoever has none',
      fix: 'set requirepass, or an ACL for the default user, at the server',
    },
  ]
}

/** GETDEL came with 6.2. Valkey tells the Redis version it is compatible with. */
function age({ topology }: RedisConfig, info: string): readonly Finding[] {
  const [, version = '', major = '', minor = ''] = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(info) ?? []
  if (version === '' || Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 2)) return []
  return [
    {
      name: 'redis-too-old',
      severity: 'error',
      place: `redis (${topology.kind})`,
      cause: `the server is version ${version}, and sessions need commands of 6.2`,
      fix: 'upgrade to Redis 6.2 or later, or Valkey',
    },
  ]
}

/** A mark of an ended session that is thrown out opens that session again. */
function eviction(info: string): readonly Finding[] {
  const limit = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0)
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'
  if (limit === 0 || policy === 'noeviction') return []
  return [
    {
      name: 'redis-evicts',
      severity: 'warning',
      place: 'redis',
      cause: `it throws entries out when its memory is full (maxmemory-policy ${policy}): sessions, and marks of sessions that were ended`,
      fix: 'set maxmemory-policy noeviction for this Redis, or give Doorward one of its own',
    },
  ]
}

/** Undefined, or what the server speaks where that is not what the file says. */
async function otherScheme(config: RedisConfig, error: unknown): Promise<'tls' | 'plain' | undefined> {
  const { topology } = config
  if (config.tls !== undefined) {
    const plain = await dialForCommands({ ...config, tls: undefined }, 0).then(closed, answered)
    return plain ? 'plain' : undefined
  }
  if (answered(error)) return undefined
  const [node] = nodesOf(topology)
  if (node === undefined) return undefined
  return (await speaksTls(node)) ? 'tls' : undefined
}

const closed = (connection: RedisConnection): boolean => {
  connection.close()
  return true
}

/** A refusal in Redis' own words is an answer: something there speaks the protocol. */
const answered = (error: unknown): boolean =>
  error instanceof Error && /^(?:WRONGPASS|NOAUTH|ERR|NOPERM|READONLY|LOADING|MASTERDOWN|DENIED)\b/.test(error.message)
