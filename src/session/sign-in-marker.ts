import type { Clock } from '../core/clock.ts'
import type { SealingKeys } from '../keys/sealing.ts'
import { duplicated, readCookie } from './cookie-header.ts'
import { type CookieSpec, crossSiteSpec, expireCookie, writeCookie } from './cookie-spec.ts'
import type { SetCookies } from './session.ts'

/**
 * The loop breaker's memory. A completed login leaves a marker beside the session. A login that begins shortly after
 * a completed one, though no session came along, is the next link of a chain: the session cookie does not come back.
 *
 * Only a login that *begins after* another one *completed* adds to the chain. Tabs that begin together carry the
 * same count, in their own states, and whichever completes first gives all of them a session; so restoring twenty
 * tabs is twenty first attempts. Logout clears the marker: signing in again is not a loop.
 */
export interface SignInMarker {
  /** When the login completed, milliseconds since the epoch. */
  readonly at: number
  /** Which link of the chain that login was. */
  readonly attempt: number
  /** The cookie that should have come back, for the page that names the likely cause. */
  readonly cookie: string
  /** The site it was set for. */
  readonly origin: string
}

export interface SignInMarkers {
  /** Sent with the session cookies of a completed login. */
  write(attempt: number): SetCookies
  read(cookieHeader: string | undefined): SignInMarker | undefined
  clear(): SetCookies
}

/** A login that would be more than this many in a row is not begun: the loop page is shown. */
export const maxAttempts = 3
/** Milliseconds between a completed login and the next one that still belong to one chain. */
const chainWindow = 60_000

/**
 * The attempt count of a login that begins now. Ask only where no session was found.
 * @param window milliseconds, shorter for circles that no person walks
 */
export function nextAttempt(marker: SignInMarker | undefined, now: number, window = chainWindow): number {
  return marker !== undefined && now - marker.at <= window ? marker.attempt + 1 : 1
}

/** Whether a login with this attempt count would go round in circles. */
export const isLoop = (attempt: number): boolean => attempt > maxAttempts

const markerLength = 7

export function createSignInMarkers(deps: {
  readonly keys: SealingKeys
  readonly spec: CookieSpec
  readonly clock: Clock
}): SignInMarkers {
  const { keys, clock } = deps
  const spec = crossSiteSpec(deps.spec)
  const { binding, names, origin } = spec

  return {
    write(attempt) {
      const bytes = Buffer.alloc(markerLength)
      bytes.writeUIntBE(clock.now(), 0, 6)
      bytes.writeUInt8(Math.min(attempt, 255), 6)
      return [writeCookie(spec, names.marker, keys.seal('marker', binding, bytes), (2 * chainWindow) / 1000)]
    },
    read(cookieHeader) {
      const value = cookieHeader === undefined ? undefined : readCookie(cookieHeader, names.marker)
      if (value === undefined || value === duplicated) return undefined
      const bytes = keys.open('marker', binding, value)?.bytes
      if (bytes?.length !== markerLength) return undefined
      return { at: bytes.readUIntBE(0, 6), attempt: bytes.readUInt8(6), cookie: names.session, origin }
    },
    clear: () => [expireCookie(spec, names.marker)],
  }
}
