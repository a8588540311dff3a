import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { SealingKeys } from '../keys/sealing.ts'
import type { KeyValue } from '../storage/key-value.ts'
import { duplicated, readCookie } from './cookie-header.ts'
import { type CookieSpec, writeCookie } from './cookie-spec.ts'
import { handleOf } from './handle.ts'
import { isOver, type Lifetimes, markLifeOf } from './lifetimes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Revocations } from './revocations.ts'
import { type OnRunOut, runOutOf } from './run-out.ts'
import type { FoundSession, KeptSession, LiveSession, SessionStore } from './session.ts'
import { clearSession, maxAgeOf, noSession, refuseSession } from './session-cookies.ts'
import { createSessionRecords } from './session-records.ts'
import { createStoredCookies, createTouch, type StoredCookie } from './stored-cookies.ts'
import { createTicket, readTicket, type Ticket } from './ticket.ts'

export interface StoredSessionsDeps {
  readonly kv: KeyValue
  readonly keys: SealingKeys
  readonly spec: CookieSpec
  readonly lifetimes: Lifetimes
  readonly cache: LiveSessions<StoredCookie>
  readonly revocations: Revocations
  readonly clock: Clock
  readonly log: Log
  readonly onRunOut?: OnRunOut | undefined
}

/** Sessions as records in a KeyValue; the browser holds a ticket (ticket.ts). The stores `memory` and `redis`. */
export function openStoredSessions(deps: StoredSessionsDeps): SessionStore {
  const { spec, lifetimes, cache, revocations, clock, onRunOut } = deps
  const records = createSessionRecords({ ...deps, binding: spec.binding })
  const cookies = createStoredCookies({ ...deps, records })
  const touch = createTouch({ ...deps, records })

  const ranOut = (live: LiveSession, now: number): void => onRunOut?.(live.session, runOutOf(live, now, lifetimes))
  /** @param known the session as this process knew it, by whose word it is over */
  const findStored = async (cookieHeader: string, value: string, known?: LiveSession): Promise<FoundSession> => {
    const ticket = readTicket(value)
    const opened = ticket === undefined ? 'invalid' : await cookies.load(ticket)
    const now = clock.now()
    if (typeof opened === 'string') {
      // The store forgets what ran out, and with it whose it was.
      if (opened === 'expired' && known !== undefined) ranOut(known, now)
      return refuseSession(spec, cookieHeader, opened)
    }
    if (!isOver(opened.live, now, lifetimes)) return touch(opened, now)
    cache.deleteSession(opened.ticket.handle)
    ranOut(opened.live, now)
    return refuseSession(spec, cookieHeader, 'expired')
  }

  const cookieOf = (live: LiveSession): StoredCookie => {
    const cookie = cookies.cookieOf(live)
    if (cookie === undefined) throw new Error('a session that was not found here')
    return cookie
  }
  const reload = async (ticket: Ticket): Promise<KeptSession | undefined> => {
    const opened = await cookies.reload(ticket)
    return typeof opened === 'string' ? undefined : { live: opened.live, setCookies: [] }
  }

  return {
    find(cookieHeader) {
      if (cookieHeader === undefined) return noSession
      const value = readCookie(cookieHeader, spec.names.session)
      if (value === undefined) return noSession
      if (value === duplicated) return refuseSession(spec, cookieHeader, 'invalid')
      const opened = cache.get(value, spec.binding)
      const now = clock.now()
      if (opened !== undefined && !isOver(opened.live, now, lifetimes)) return touch(opened, now)
      // Idle for too long here may have been busy elsewhere: the store knows.
      if (opened !== undefined) cache.deleteSession(opened.ticket.handle)
      return findStored(cookieHeader, value, opened?.live)
    },
    async create(session) {
      const ticket = createTicket(session.id)
      const now = clock.now()
      const readAt = revocations.epoch()
      cookies.remember(await records.create(ticket, { session, seenAt: now }), ticket, readAt)
      return [writeCookie(spec, spec.names.session, ticket.value, maxAgeOf(session, clock, lifetimes))]
    },
    reload: (live) => reload(cookieOf(live).ticket),
    async replace(live, next) {
      const { ticket, version } = cookieOf(live)
      if (next.id !== live.session.id) throw new Error('a renewal of a session not found here')
      if (revocations.covers(live.session, ticket.handle)) return undefined
      const readAt = revocations.epoch()
      const stored = await records.replace(ticket, version, { session: next, seenAt: live.seenAt })
      if (stored === undefined) return reload(ticket)
      await revocations.recall(next, ticket.handle)
      const renewed = cookies.remember(stored, ticket, readAt)
      if (renewed !== undefined) return { live: renewed.live, setCookies: [] }
      // Ended while we were writing: what was written after the deletion goes too.
      await records.remove(ticket.handle)
      return undefined
    },
    async end(session) {
      // The mark comes first and holds at once: whatever is being written now finds it when it is done.
      const marked = revocations.endSession(session, markLifeOf(session, clock.now(), lifetimes))
      await Promise.all([marked, records.remove(handleOf(session.id))])
    },
    clear: (cookieHeader) => clearSession(spec, cookieHeader),
    cacheStatistics: () => cache.statistics(),
    async close() {},
  }
}
