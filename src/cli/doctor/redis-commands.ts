/** Whether the user of the file may do all that sessions need, tried on a key and a channel of the doctor's own. */
import type { RedisConfig } from '../../config/redis-config.ts'
import type { RedisConnection, RedisListening } from '../../storage/redis-dial.ts'

/** Every command that src/storage/redis.ts sends, in an order that leaves nothing behind. */
const commandsOn = (key: string): readonly (readonly string[])[] => [
  ['SET', key, '1', 'PX', '1000'],
  ['GET', key],
  ['PEXPIRE', key, '1000'],
  ['EVAL', "return redis.call('get', KEYS[1])", '1', key],
  ['GETDEL', key],
  ['DEL', key],
]

/** @throws the first refusal, in the words of Redis */
export async function proveCommands({ prefix }: RedisConfig, connection: RedisConnection): Promise<void> {
  const key = `${prefix}doctor`
  for (const command of commandsOn(key)) await connection.send(key, command)
  await connection.send(undefined, ['PUBLISH', key, ''])
}

/** @throws the refusal, in the words of Redis; the connection is closed */
export async function proveListening({ prefix }: RedisConfig, listening: RedisListening): Promise<void> {
  try {
    await listening.subscribe(`${prefix}doctor`, () => undefined)
  } finally {
    listening.close()
  }
}
