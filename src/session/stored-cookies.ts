import type { Log } from '../core/log.ts'
import type { CookieSpec } from './cookie-spec.ts'
import type { Lifetimes } from './lifetimes.ts'
import type { LiveSessions, OpenedCookie } from './live-sessions.ts'
import type { Revocations } from './revocations.ts'
import type { FoundSession, LiveSession } from './session.ts'
import { type SessionRecords, type StoredSession, touchesPerIdle } from './session-records.ts'
import type { Ticket } from './ticket.ts'

export interface StoredCookie extends OpenedCookie {
  readonly ticket: Ticket
  /** Of the record it was read from or written to. */
  readonly version: string
  /** When the store was last told of a request, milliseconds since the epoch. */
  touchedAt: number
  touching: boolean
}

export type Refusal = 'invalid' | 'expired' | 'ended'

/** Stored sessions this process has open, by the cookie that carries their ticket. */
export interface StoredCookies {
  /**
   * Undefined where the session was ended: then it must not be used.
   * @param readAt `Revocations.epoch()` before the record was read
   */
  remember(stored: StoredSession, ticket: Ticket, readAt: number): StoredCookie | undefined
  /** What a session was found by, as long as anybody holds the session. */
  cookieOf(live: LiveSession): StoredCookie | undefined
  /** Reads a session from the store; one read for any number of requests that arrive together. */
  load(ticket: Ticket): Promise<StoredCookie | Refusal>
  /** Reads it anew, whatever is being read already: for whoever holds the lease and must know the last word. */
  reload(ticket: Ticket): Promise<StoredCookie | Refusal>
}

export function createStoredCookies(deps: {
  readonly records: SessionRecords
  readonly cache: LiveSessions<StoredCookie>
  readonly revocations: Revocations
  readonly spec: CookieSpec
}): StoredCookies {
  const { records, cache, revocations, spec } = deps
  const byLive = new WeakMap<LiveSession, StoredCookie>()
  const running = new Map<string, Promise<StoredCookie | Refusal>>()

  const remember: StoredCookies['remember'] = ({ session, seenAt, version, stale }, ticket, readAt) => {
    const live: LiveSession = { session, seenAt }
    const touchedAt = stale ? Number.NEGATIVE_INFINITY : seenAt
    const cookie = { binding: spec.binding, live, ticket, version, touchedAt, touching: false }
    byLive.set(live, cookie)
    return cache.put(ticket.value, cookie, readAt) ? cookie : undefined
  }
  const read = async (ticket: Ticket): Promise<StoredCookie | Refusal> => {
    const readAt = revocations.epoch()
    const written = await records.load(ticket)
    if (typeof written === 'string') return refusalOf(written, revocations.knows(ticket.handle))
    await revocations.recall(written.session, ticket.handle)
    const known = cache.ofSession(ticket.handle)[0]
    // A renewal that ended while we were reading is newer than what we read.
    if (known !== undefined && known.live.session.renewedAt >= written.session.renewedAt) return known
    return remember(written, ticket, readAt) ?? 'ended'
  }

  return {
    remember,
    cookieOf: (live) => byLive.get(live),
    load(ticket) {
      const started = running.get(ticket.value)
      if (started !== undefined) return started
      const reading = read(ticket).finally(() => running.delete(ticket.value))
      running.set(ticket.value, reading)
      return reading
    },
    reload: read,
  }
}

/** A record that is gone and was not ended by name has run out of time: the store forgets those by itself. */
function refusalOf(written: 'missing' | 'invalid', ended: boolean): Refusal {
  if (ended) return 'ended'
  return written === 'missing' ? 'expired' : 'invalid'
}

/** Notes a request: in place at once, in the store now and then, one write at a time and off the request. */
export function createTouch(deps: {
  readonly records: SessionRecords
  readonly cache: LiveSessions<StoredCookie>
  readonly lifetimes: Lifetimes
  readonly log: Log
}): (cookie: StoredCookie, now: number) => FoundSession {
  const { records, cache, lifetimes, log } = deps
  const write = async (cookie: StoredCookie, now: number): Promise<void> => {
    const { handle } = cookie.ticket
    cookie.touching = true
    try {
      if (await records.touch(handle, cookie.live)) cookie.touchedAt = now
      else cache.deleteSession(handle)
    } catch (error) {
      log.error({ err: error, session: handle }, 'the idle life of a session could not be written')
    } finally {
      cookie.touching = false
    }
  }
  return (cookie: StoredCookie, now: number): FoundSession => {
    const { live } = cookie
    if (now > live.seenAt) live.seenAt = now
    if (!cookie.touching && now - cookie.touchedAt >= lifetimes.idle / touchesPerIdle) void write(cookie, now)
    return { kind: 'live', live }
  }
}
