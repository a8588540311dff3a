/** The contract of session stores, kept in a real Redis. */
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { openSessionState } from '../../src/session/open.ts'
import { openSealedSessions, type SealedCookie } from '../../src/session/sealed.ts'
import { createSealedRenewals } from '../../src/session/sealed-renewals.ts'
import { openStoredSessions } from '../../src/session/stored.ts'
import type { StoredCookie } from '../../src/session/stored-cookies.ts'
import { cacheBytes, type OpenState, type OpenStore, sessionStoreContract } from '../contracts/session-store.ts'
import { agingClock, startRedis } from '../support/redis.ts'

const stored: OpenStore = ({ state, ...parts }) => {
  const cache = openLiveSessions<StoredCookie>(cacheBytes, state.revocations)
  return openStoredSessions({ ...parts, kv: state.kv, revocations: state.revocations, cache, log: silentLog })
}

const sealed: OpenStore = ({ state, ...parts }) => {
  const cache = openLiveSessions<SealedCookie>(cacheBytes, state.revocations)
  const renewals = createSealedRenewals({ ...parts, kv: state.kv, binding: parts.spec.binding })
  return openSealedSessions({ ...parts, revocations: state.revocations, cache, renewals })
}

test('sessions in a real Redis', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const openState =
    (store: 'redis' | 'cookie'): OpenState =>
    async () => {
      const options = redis.options()
      const clock = agingClock(redis, options.prefix)
      const config = { session: { store }, redis: options }
      return { clock, state: await openSessionState({ clock, log: silentLog, config }) }
    }
  await sessionStoreContract('stored in redis', stored, openState('redis'), t)
  await sessionStoreContract('sealed, with redis', sealed, openState('cookie'), t)
})
