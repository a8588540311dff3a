/** Owns the short signed statement about a person that an application can check by itself. */
import type { Clock } from '../core/clock.ts'
import type { Identity } from '../core/identity.ts'
import type { AssertionKeys } from '../keys/assertion-keys.ts'
import { handleOf } from '../session/handle.ts'
import type { LiveSession } from '../session/session.ts'
import type { IdentityHeaders } from './identity-headers.ts'

export interface AssertionRules {
  /** `iss`: the first address of publicUrl. */
  readonly issuer: string
  /** `aud`, by route index: a statement made for one application is worth nothing at another. */
  readonly audiences: readonly string[]
  /** Milliseconds. */
  readonly lifetime: number
}

export interface Assertion {
  readonly jwt: string
  /** When another one is due, milliseconds since the epoch: well before the application would refuse this one. */
  readonly renewAt: number
}

/** Whom it is about, and what proved it. */
export interface AssertionSubject {
  readonly identity: Identity
  /** Undefined for bearer tokens. */
  readonly live: LiveSession | undefined
  /** When a bearer token ends, milliseconds since the epoch: the statement ends no later. */
  readonly until: number | undefined
}

export type Asserter = (routeIndex: number, subject: AssertionSubject) => Assertion

/** The header of the file, and who fills it. */
export interface AssertionHeader {
  readonly name: string
  readonly make: Asserter
}

/** @param jwt empty for nobody: an ingress must get the name all the same, or the client's own value stays */
export const withAssertion = (headers: IdentityHeaders, name: string, jwt: string): IdentityHeaders => ({
  ...headers,
  known: jwt === '' ? headers.known : [...headers.known, name, jwt],
  all: [...headers.all, name, jwt],
})

/** An answer may be on its way, and an application's clock a little ahead. */
const clockSkew = 5_000

export function createAsserter(keys: AssertionKeys, rules: AssertionRules, clock: Clock): Asserter {
  const { issuer, audiences, lifetime } = rules
  return (routeIndex, { identity, live, until }) => {
    const now = clock.now()
    const end = Math.min(now + lifetime, until ?? Number.POSITIVE_INFINITY)
    const { subject, username, email, name, groups } = identity
    const jwt = keys.sign({
      iss: issuer,
      aud: audiences[routeIndex],
      sub: subject,
      iat: seconds(now),
      nbf: seconds(now - clockSkew),
      exp: Math.max(seconds(end), seconds(now) + 1),
      // Names the session in our audit log; nothing can be opened with it.
      ...(live !== undefined && { sid: handleOf(live.session.id) }),
      idp: identity.issuer,
      preferred_username: username,
      ...(email !== undefined && { email }),
      ...(name !== undefined && { name }),
      groups,
    })
    return { jwt, renewAt: now + (end - now) / 2 }
  }
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)
