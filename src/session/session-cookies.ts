import type { Clock } from '../core/clock.ts'
import { readCookie } from './cookie-header.ts'
import { type CookieSpec, expireCookie } from './cookie-spec.ts'
import { endOf, type Lifetimes } from './lifetimes.ts'
import type { FoundSession, Session, SetCookies } from './session.ts'

/** Removes the session from the browser: also the second cookie, and one that came twice. */
export function clearSession(spec: CookieSpec, cookieHeader: string | undefined): SetCookies {
  const { session, second } = spec.names
  const more = cookieHeader !== undefined && readCookie(cookieHeader, second) !== undefined
  return [expireCookie(spec, session), ...(more ? [expireCookie(spec, second)] : [])]
}

export const noSession: FoundSession = { kind: 'none' }

export const refuseSession = (
  spec: CookieSpec,
  cookieHeader: string,
  reason: 'invalid' | 'expired' | 'ended',
): FoundSession => ({ kind: 'refused', reason, clear: clearSession(spec, cookieHeader) })

/** Seconds a browser keeps the cookie: the absolute life. Idle life moves on the server, where no cookie can be set. */
export const maxAgeOf = (session: Session, clock: Clock, lifetimes: Lifetimes): number =>
  Math.max(0, Math.ceil((endOf(session, lifetimes) - clock.now()) / 1000))
