import type { Clock } from '../core/clock.ts'
import type { SealingKeys } from '../keys/sealing.ts'
import type { CookieSpec } from './cookie-spec.ts'
import { handleOf } from './handle.ts'
import { isOver, type Lifetimes, markLifeOf } from './lifetimes.ts'
import type { LiveSessions, OpenedCookie } from './live-sessions.ts'
import type { Revocations } from './revocations.ts'
import { type OnRunOut, runOutOf } from './run-out.ts'
import { type CookieChunks, chunksKey, openChunks, readChunks, sealChunks, writeChunks } from './sealed-cookie.ts'
import type { SealedRenewals } from './sealed-renewals.ts'
import type { FoundSession, KeptSession, LiveSession, Session, SessionStore, SetCookies } from './session.ts'
import { clearSession, maxAgeOf, noSession, refuseSession } from './session-cookies.ts'
import { readSession, writeSession } from './session-format.ts'
import { sessionTooLarge } from './session-size.ts'

export interface SealedCookie extends OpenedCookie {
  /** Last request the browser's copy knows of, milliseconds since the epoch. */
  readonly sealedSeenAt: number
  /** The browser's copy is behind: sealed with an old key, or its session was renewed since. */
  stale: boolean
}

export interface SealedSessionsDeps {
  readonly keys: SealingKeys
  readonly spec: CookieSpec
  readonly lifetimes: Lifetimes
  readonly cache: LiveSessions<SealedCookie>
  readonly revocations: Revocations
  readonly clock: Clock
  /** Where replicas share a store: what they renewed. */
  readonly renewals: SealedRenewals | undefined
  readonly onRunOut?: OnRunOut | undefined
}

/**
 * Bytes of Set-Cookie that carry a session: names, values and attributes. The answer of the callback passes through
 * nginx's 4 KiB header buffer together with a sign-in marker and the removal of the login flow's cookie; all
 * Set-Cookie values of it stay within 3,500 bytes.
 */
const maxSetCookieBytes = 3_500 - 250
/** The browser's copy is renewed after this part of the idle life. */
const renewalsPerIdle = 4

/** The cookie is the session: no infrastructure, and no access token. The store `cookie`. */
export function openSealedSessions(deps: SealedSessionsDeps): SessionStore {
  const { spec, lifetimes, cache, revocations, renewals, clock } = deps

  /** The browser's copy is behind from now on, and every cookie of the session stands for this value. */
  const keep = (next: Session, seenAt: number): KeptSession | undefined => {
    const { session, chunks, setCookies } = sealSession(deps, next, seenAt)
    const renewed: LiveSession = { session, seenAt }
    adopt(cache.ofSession(handleOf(next.id)), renewed)
    const cookie = { binding: spec.binding, live: renewed, sealedSeenAt: seenAt, stale: false }
    return cache.put(chunksKey(chunks), cookie) ? { live: renewed, setCookies } : undefined
  }
  const reload = async (live: LiveSession): Promise<KeptSession | undefined> => {
    const { session, seenAt } = live
    await revocations.recall(session, handleOf(session.id))
    if (revocations.covers(session, handleOf(session.id))) return undefined
    const written = await renewals?.load(live)
    if (written === undefined || written.session.renewedAt <= session.renewedAt) return { live, setCookies: [] }
    return keep(written.session, seenAt)
  }

  return {
    find(cookieHeader) {
      if (cookieHeader === undefined) return noSession
      const chunks = readChunks(spec, cookieHeader)
      if (chunks === undefined) return noSession
      if (chunks === 'invalid') return refuseSession(spec, cookieHeader, 'invalid')
      const key = chunksKey(chunks)
      const known = cache.get(key, spec.binding)
      if (known !== undefined) return useCookie(deps, cookieHeader, known)
      const opened = openCookie(deps, chunks)
      if (opened === undefined) return refuseSession(spec, cookieHeader, 'invalid')
      const readAt = revocations.epoch()
      const use = (): FoundSession =>
        cache.put(key, opened, readAt)
          ? useCookie(deps, cookieHeader, opened)
          : refuseSession(spec, cookieHeader, 'ended')
      return revocations.recall(opened.live.session, handleOf(opened.live.session.id))?.then(use) ?? use()
    },
    async create(session) {
      return sealSession(deps, session, clock.now()).setCookies
    },
    reload,
    async replace(live, next) {
      if (next.id !== live.session.id) throw new Error('a renewal must keep the id of the session')
      // What does not fit into a cookie is not saved for the others either.
      const { session } = sealSession(deps, next, live.seenAt)
      const saved = (await renewals?.save(live, { session, seenAt: live.seenAt })) ?? true
      await revocations.recall(session, handleOf(session.id))
      return saved ? keep(session, live.seenAt) : reload(live)
    },
    end: (session) => revocations.endSession(session, markLifeOf(session, clock.now(), lifetimes)),
    clear: (cookieHeader) => clearSession(spec, cookieHeader),
    cacheStatistics: () => cache.statistics(),
    async close() {},
  }
}

function useCookie(deps: SealedSessionsDeps, cookieHeader: string, cookie: SealedCookie): FoundSession {
  const { spec, lifetimes, cache, clock, onRunOut } = deps
  const { live } = cookie
  const now = clock.now()
  if (isOver(live, now, lifetimes)) {
    cache.deleteSession(handleOf(live.session.id))
    onRunOut?.(live.session, runOutOf(live, now, lifetimes))
    return refuseSession(spec, cookieHeader, 'expired')
  }
  if (now > live.seenAt) live.seenAt = now
  const due = cookie.stale || now - cookie.sealedSeenAt >= lifetimes.idle / renewalsPerIdle
  if (!due) return { kind: 'live', live }
  return { kind: 'live', live, renewal: () => sealSession(deps, cookie.live.session, cookie.live.seenAt).setCookies }
}

interface Sealed {
  /** What the cookie holds of the session. */
  readonly session: Session
  readonly chunks: CookieChunks
  readonly setCookies: SetCookies
}

/** With the ID token (for the logout hint) where it fits, else without. */
function sealSession(deps: SealedSessionsDeps, session: Session, seenAt: number): Sealed {
  const { accessToken, idToken, idExpiresAt, ...tokens } = session.tokens
  const candidates = idToken === undefined ? [tokens] : [{ ...tokens, idToken }, tokens]
  let bytes = 0
  for (const candidate of candidates) {
    const kept = { ...session, tokens: candidate }
    const chunks = sealChunks(deps.keys, deps.spec, writeSession({ session: kept, seenAt }))
    const setCookies = writeChunks(deps.spec, chunks, maxAgeOf(session, deps.clock, deps.lifetimes))
    bytes = setCookies.reduce((sum, line) => sum + line.length, 0)
    if (bytes <= maxSetCookieBytes) return { session: kept, chunks, setCookies }
  }
  throw sessionTooLarge(session, bytes, maxSetCookieBytes)
}

/**
 * A cookie this process has not seen. Where the session is known by another cookie, both share one value: a browser
 * may go on sending its old copy, and old tokens must not be used again.
 */
function openCookie({ keys, spec, cache }: SealedSessionsDeps, chunks: CookieChunks): SealedCookie | undefined {
  const opened = openChunks(keys, spec, chunks)
  const written = opened === undefined ? undefined : readSession(opened.bytes)
  if (opened === undefined || written === undefined) return undefined
  const { session, seenAt } = written
  const others = cache.ofSession(handleOf(session.id))
  const known = others[0]?.live
  const behind = known !== undefined && known.session.renewedAt > session.renewedAt
  if (known === undefined || known.session.renewedAt < session.renewedAt) {
    const live: LiveSession = { session, seenAt: Math.max(seenAt, known?.seenAt ?? 0) }
    adopt(others, live)
    return { binding: spec.binding, live, sealedSeenAt: seenAt, stale: opened.stale }
  }
  return { binding: spec.binding, live: known, sealedSeenAt: seenAt, stale: opened.stale || behind }
}

/** The other cookies of a session stand for its newest value from now on, and are behind it. */
function adopt(cookies: readonly SealedCookie[], live: LiveSession): void {
  for (const cookie of cookies) {
    cookie.live = live
    cookie.stale = true
  }
}
