import { silentLog } from '../../src/core/log.ts'
import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { openStoredSessions } from '../../src/session/stored.ts'
import type { StoredCookie } from '../../src/session/stored-cookies.ts'
import { cacheBytes, type OpenStore, sessionStoreContract } from '../contracts/session-store.ts'

const open: OpenStore = ({ state, ...parts }) => {
  const { kv, revocations } = state
  const cache = openLiveSessions<StoredCookie>(cacheBytes, revocations)
  return openStoredSessions({ ...parts, kv, revocations, cache, log: silentLog })
}

sessionStoreContract('stored in memory', open)
