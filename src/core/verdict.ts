import type { Identity } from './identity.ts'

/** Why somebody was refused. Bounded: it labels metrics and picks the sentence on the page. */
export type Reason =
  | 'not_signed_in'
  | 'session_expired'
  | 'renew'
  | 'token_invalid'
  | 'token_expired'
  | 'requirement_unmet'
  | 'step_up'
  | 'other_provider'
  | 'csrf'
  | 'no_route'
  | 'host_unknown'
  | 'method_not_allowed'

/** One requirement of a route that an identity does not meet, in the words of the file. */
export interface Unmet {
  /** The key of the file: `groups`, `realmRoles`, `acr`, `maxAge`, … */
  readonly requirement: string
  /** One sentence in plain words for the person: "one of the groups /staff, /admins". */
  readonly wanted: string
}

/** Position of a route in the file. Every room keeps its own table by it. */
export type RouteIndex = number

/** The one answer of the gate. Every front door renders all five; none invents a sixth. */
export type Verdict = Allow | Login | Challenge | Forbid | Unrouted
export type Refusal = Exclude<Verdict, Allow>

export interface Allow {
  readonly kind: 'allow'
  readonly route: RouteIndex
  /** Undefined on `public` routes, and on `optional` ones for anonymous requests. */
  readonly identity: Identity | undefined
}

/** A person has to sign in; a browser can be sent. Other clients get the same as a 401. */
export interface Login {
  readonly kind: 'login'
  readonly route: RouteIndex
  /** `renew`: the session is good, its cookie has to be sealed anew on a hop that may set one. */
  readonly reason: 'not_signed_in' | 'session_expired' | 'step_up' | 'renew'
  /** What the provider must be asked for beyond a plain login (step-up). */
  readonly acr?: readonly string[]
  /** Seconds; how fresh the authentication must be. */
  readonly maxAge?: number
  /** Named provider, where the route asks for one. */
  readonly provider?: string
}

/** A token is missing or bad: 401, never a redirect (RFC 6750 3). */
export interface Challenge {
  readonly kind: 'challenge'
  readonly route: RouteIndex
  readonly reason: 'not_signed_in' | 'token_invalid' | 'token_expired' | 'step_up'
  /** What differs, for the client's developer: `invalid issuer: expected X, got Y`. Never a token. */
  readonly detail?: string
  /** The header the token came in, where that is not Authorization: a gateway in front sent it, not the client. */
  readonly header?: string
  readonly acr?: readonly string[]
  readonly maxAge?: number
}

/** Known, and not allowed. */
export interface Forbid {
  readonly kind: 'forbid'
  readonly route: RouteIndex
  readonly reason: 'requirement_unmet' | 'step_up' | 'other_provider' | 'csrf'
  readonly identity: Identity | undefined
  readonly unmet: readonly Unmet[]
  /** Scopes that would have been enough, for `insufficient_scope` (RFC 6750 3.1). */
  readonly scopes?: readonly string[]
  /** One sentence for the log and the page. */
  readonly detail?: string
}

export interface Unrouted {
  readonly kind: 'unrouted'
  readonly reason: 'no_route' | 'host_unknown' | 'method_not_allowed'
  /** The methods the route lists, for the Allow header of a 405. */
  readonly methods?: readonly string[]
}
