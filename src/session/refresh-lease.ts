/** Words between replicas about who refreshes a session: one lease per session, by its handle. */
import { handleOf } from './handle.ts'
import type { Session } from './session.ts'

/** How a refresh ended, told to everybody who waited for it. */
export type RefreshWord = 'renewed' | 'ended' | 'failed'

const prefix = 'refresh '

export const refreshLeaseOf = (session: Session): string => prefix + handleOf(session.id)

/** The handle of a session that another process renewed; undefined for every other word. */
export const renewedHandle = (name: string, word: string): string | undefined =>
  name.startsWith(prefix) && word === ('renewed' satisfies RefreshWord) ? name.slice(prefix.length) : undefined
