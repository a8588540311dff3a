/** A KeyValue in Redis or Valkey, shared by every replica: commands on one connection, messages on another. */
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { KeyValue } from './key-value.ts'
import { dialForCommands, type RedisConnection } from './redis-dial.ts'
import { isForeignValue, openRedisLink } from './redis-link.ts'
import { openRedisMessages } from './redis-messages.ts'
import type { RedisOptions } from './redis-options.ts'

/** GETDEL, PEXPIRE and PX are of Redis 6.2; scripts touch one key each, so that they run in a cluster. */
const swapScript = `local v = redis.call('get', KEYS[1])
if not v or string.sub(v, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`
const deleteScript = `local v = redis.call('get', KEYS[1])
if not v or string.sub(v, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`

/**
 * Opens at once, whether Redis is there or not: what needs it fails with `store_unreachable` until it is. Waits for
 * the end of the first attempt alone.
 */
export async function openRedisKeyValue(options: RedisOptions, deps: { readonly log: Log }): Promise<KeyValue> {
  const { log } = deps
  const { prefix, timeout } = options
  const messages = openRedisMessages(options, log)
  const commands = openRedisLink<RedisConnection>({
    name: 'commands',
    dial: (turn) => dialForCommands(options, turn),
    probe: (connection) => proveWritable(connection, `${prefix}probe`),
    // The server may be another one now: what it publishes is heard there alone.
    onDown: (reason) => messages.renew(reason),
    timeout,
    timeoutsToGiveUp: 3,
    log,
  })
  await Promise.all([commands.tried, messages.tried])
  const run = (key: string, command: string, ...args: readonly string[]): Promise<unknown> =>
    commands.run(prefix + key, [command, prefix + key, ...args])
  /** A value of another type was not written by us, so there is none of ours. */
  const unlessForeign = async (reply: Promise<unknown>, key: string): Promise<unknown> => {
    try {
      return await reply
    } catch (error) {
      if (!isForeignValue(error)) throw error
      log.warn({ key: key.split(' ', 1)[0] }, 'redis holds a value under one of our keys that is none of ours')
      return null
    }
  }
  const read = async (key: string, command: string): Promise<string | undefined> =>
    textOf(await unlessForeign(run(key, command), key))
  const runScript = async (script: string, key: string, ...args: readonly string[]): Promise<boolean> => {
    const reply = commands.run(prefix + key, ['EVAL', script, '1', prefix + key, ...args])
    return (await unlessForeign(reply, key)) === 1
  }

  return {
    get: (key) => read(key, 'GET'),
    async set(key, value, ttl) {
      await run(key, 'SET', value, 'PX', millisecondsOf(ttl))
    },
    add: async (key, value, ttl) => (await run(key, 'SET', value, 'PX', millisecondsOf(ttl), 'NX')) === 'OK',
    swap: async (key, start, value, ttl) => runScript(swapScript, key, start, value, millisecondsOf(ttl)),
    take: (key) => read(key, 'GETDEL'),
    async delete(key, start) {
      if (start === undefined) await run(key, 'DEL')
      else await runScript(deleteScript, key, start)
    },
    extend: async (key, ttl) => (await run(key, 'PEXPIRE', millisecondsOf(ttl))) === 1,
    publish: messages.publish,
    subscribe: messages.subscribe,
    state() {
      const states = [commands.state(), messages.state()]
      return states.find(({ ready }) => !ready) ?? { ready: true }
    },
    links: () => ({ commands: commands.figures(), messages: messages.figures() }),
    async close() {
      messages.close()
      commands.close()
    },
  }
}

/** A replica, a wrong password or a server that still loads is no store. One that is full still lets people read. */
async function proveWritable(connection: RedisConnection, key: string): Promise<void> {
  // Of a cluster one shard that serves is enough: each of these keys may lie on another.
  for (let left = connection.survivesFailures ? 7 : 0; ; left--) {
    try {
      await connection.send(key + left, ['SET', key + left, '1', 'PX', '60000'])
      return
    } catch (error) {
      if (error instanceof Error && /^(?:OOM|MISCONF)\b/.test(error.message)) return
      if (left === 0) throw error
    }
  }
}

function millisecondsOf(ttl: number): string {
  if (!(ttl > 0)) throw new RangeError(`a time to live of ${ttl} ms`)
  return String(Math.ceil(ttl))
}

/** Absent is null; anything but text would be a bug of the protocol layer. */
function textOf(reply: unknown): string | undefined {
  if (reply === null) return undefined
  if (typeof reply === 'string') return reply
  throw new GatewayError('store_unreachable', `redis: a ${typeof reply} where a text was expected`)
}
