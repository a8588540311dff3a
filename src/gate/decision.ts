import type { Verdict } from '../core/verdict.ts'
import type { CompiledRoute } from '../policy/policy.ts'
import type { LiveSession, SetCookies } from '../session/session.ts'
import type { IdentityHeaders } from './identity-headers.ts'

/** What a request carries that might prove who sent it. Read once, at the front door. */
export interface Credentials {
  readonly cookie: string | undefined
  readonly authorization: string | undefined
  /** A header by its lower-case name: for tokens that a gateway in front sends in one of its own. */
  header(name: string): string | undefined
  readonly origin: string | undefined
  readonly secFetchSite: string | undefined
  /** Names a real CORS preflight (Fetch standard, 4.8) when it comes with OPTIONS and Origin. */
  readonly requestedMethod: string | undefined
  /** The client, found by walking X-Forwarded-For through trusted proxies. */
  readonly address: string
  readonly isUpgrade: boolean
  /** A browser moving to a page: it can be sent through a redirect and come back. */
  readonly isNavigation: boolean
  /** A Set-Cookie on the answer reaches the browser. False behind most gateways (docs/gateways). */
  readonly canSetCookie: boolean
}

export interface Decision {
  readonly verdict: Verdict
  /** Undefined exactly where the verdict is `unrouted`. */
  readonly route: CompiledRoute | undefined
  /** The session that proved it, for upgrades that must end with it. */
  readonly live: LiveSession | undefined
  /** When a bearer token that proved it expires, for the same upgrades; milliseconds since the epoch. */
  readonly until: number | undefined
  /** For the upstream and for the ingress; empty values unless the verdict is `allow`. */
  readonly headers: IdentityHeaders
  /** To send where a Set-Cookie reaches the browser; an allowed answer never needs it. */
  readonly setCookies: SetCookies
  /** A CORS preflight that passes without proof, or is answered here by the route's `cors:`. */
  readonly isPreflight: boolean
}

export const noCookies: SetCookies = []
