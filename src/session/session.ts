import type { Identity } from '../core/identity.ts'
import type { Tokens } from '../core/tokens.ts'

/** A signed-in browser. Immutable: a renewal makes a new value under the same id. */
export interface Session {
  /** 256 random bits, base64url; new at every login and never sent anywhere as it is. */
  readonly id: string
  readonly identity: Identity
  readonly tokens: Tokens
  /** Keycloak's session id at the provider (`sid`), for logout that starts there. */
  readonly sid?: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** End of the absolute lifetime, milliseconds since the epoch. */
  readonly expiresAt: number
  /** When claims and tokens were last confirmed by the provider. */
  readonly renewedAt: number
}

/** A session as a request found it, with what only this process knows of it. */
export interface LiveSession {
  readonly session: Session
  /** Last request, milliseconds since the epoch; moved forward in place, so that the hot path stays synchronous. */
  seenAt: number
}

/** Set-Cookie header values, complete. Whoever sends one sends `Cache-Control: no-store` too. */
export type SetCookies = readonly string[]

export type FoundSession =
  | { readonly kind: 'none' }
  /** A cookie came and is of no use: forged, expired, ended, of another key. `clear` removes it. */
  | { readonly kind: 'refused'; readonly reason: 'invalid' | 'expired' | 'ended'; readonly clear: SetCookies }
  | {
      readonly kind: 'live'
      readonly live: LiveSession
      /**
       * The browser's copy should be renewed (`cookie` store: idle life, key rotation): send `renewal()` where
       * a Set-Cookie reaches the browser. Never required for an allowed answer.
       */
      readonly renewal?: () => SetCookies
    }

/**
 * The seam behind which sessions are kept. `memory` and `redis` keep records in a KeyValue; `cookie` keeps
 * them in the browser. One contract suite runs against all: test/contracts/session-store.ts.
 *
 * Times (idle, lifetime) are enforced here. A fault of the store throws GatewayError `store_unreachable`; it
 * never looks like "no session".
 */
export interface SessionStore {
  /** Reads the Cookie header. Synchronous for a session this process has opened before. */
  find(cookieHeader: string | undefined): FoundSession | Promise<FoundSession>
  /**
   * Keeps a new session and returns the cookies that carry it, those of left-over chunks expired.
   * @throws GatewayError `session_too_large` naming the largest claims (`cookie` store)
   */
  create(session: Session): Promise<SetCookies>
  /**
   * What has become of a session in the store all processes share, for whoever is about to renew it; undefined where
   * it was ended. The same session where nobody renewed it, or where there is no such store.
   */
  reload(live: LiveSession): Promise<KeptSession | undefined>
  /**
   * Replaces a session after `reload` and a renewal; undefined where it was ended meanwhile: then nothing is kept. Compare-and-set:
   * where another process renewed it meanwhile, that one stays and comes back.
   */
  replace(live: LiveSession, next: Session): Promise<KeptSession | undefined>
  /** Ends a session for good, on every process that shares the store; a replayed cookie stays dead. */
  end(session: Session): Promise<void>
  /** Removes our cookies from the browser, all chunks. */
  clear(cookieHeader: string | undefined): SetCookies
  /** Sessions opened and kept in this process, for metrics: hits, misses, bytes. */
  cacheStatistics(): CacheStatistics
  close(): Promise<void>
}

export interface KeptSession {
  readonly live: LiveSession
  readonly setCookies: SetCookies
}

export interface CacheStatistics {
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
}
