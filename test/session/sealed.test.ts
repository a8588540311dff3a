import { openLiveSessions } from '../../src/session/live-sessions.ts'
import { openSealedSessions, type SealedCookie } from '../../src/session/sealed.ts'
import { cacheBytes, type OpenStore, sessionStoreContract } from '../contracts/session-store.ts'

const open: OpenStore = ({ state, ...parts }) => {
  const { revocations } = state
  return openSealedSessions({ ...parts, revocations, cache: openLiveSessions<SealedCookie>(cacheBytes, revocations) })
}

sessionStoreContract('sealed', open)
