import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { openRedisKeyValue } from '../../src/storage/redis.ts'
import { keyValueContract } from '../contracts/key-value.ts'
import { agingClock, startRedis } from '../support/redis.ts'

test('a real Redis', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  await keyValueContract(
    'redis',
    async () => {
      const options = redis.options()
      return { kv: await openRedisKeyValue(options, { log: silentLog }), clock: agingClock(redis, options.prefix) }
    },
    t,
  )
})
