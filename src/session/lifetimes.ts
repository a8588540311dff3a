import { randomToken } from '../core/encoding.ts'
import type { Proof } from '../core/proof.ts'
import type { LiveSession, Session } from './session.ts'

/** How long sessions live; a slice of SessionConfig. Milliseconds. */
export interface Lifetimes {
  readonly idle: number
  readonly lifetime: number
}

/** The session of a finished login: a new id each time, whatever the browser brought (session fixation). */
export function createSession(proof: Proof, now: number, { lifetime }: Lifetimes): Session {
  return {
    id: randomToken(),
    identity: proof.identity,
    tokens: proof.tokens,
    ...(proof.sid === undefined ? {} : { sid: proof.sid }),
    createdAt: now,
    expiresAt: now + lifetime,
    renewedAt: now,
  }
}

/**
 * The same session after the provider confirmed it. A refresh need not repeat refresh and ID token (RFC 6749 6,
 * OpenID Connect Core 12.2); an access token comes with its own end or with none.
 */
export function renewSession(session: Session, proof: Proof, now: number): Session {
  const sid = proof.sid ?? session.sid
  const { accessToken, accessExpiresAt, providerEndsAt, ...lasting } = session.tokens
  // The end of a refresh token stays with it, and goes with it.
  const end = proof.tokens.refreshToken === undefined && providerEndsAt !== undefined ? { providerEndsAt } : {}
  return {
    ...session,
    identity: proof.identity,
    tokens: { ...lasting, ...end, ...proof.tokens },
    ...(sid === undefined ? {} : { sid }),
    // Later than before by any clock: replicas tell by it which of two copies is the newer one.
    renewedAt: Math.max(now, session.renewedAt + 1),
  }
}

/** End of the absolute life. A lifetime that was shortened in the file holds for older sessions too. */
export const endOf = (session: Session, { lifetime }: Lifetimes): number =>
  Math.min(session.expiresAt, session.createdAt + lifetime)

const providerEndOf = ({ tokens }: Session): number => tokens.providerEndsAt ?? Number.POSITIVE_INFINITY

/**
 * The provider's word has run out: no refresh will bring another, only a sign-in. Not among the ends above, since
 * another replica may have got a new word meanwhile; the gate looks there before it believes this.
 */
export const outlivesProvider = (session: Session, now: number): boolean => now >= providerEndOf(session)

/** Until when a session may be promised: its own end, or the provider's where that comes first. Renewals move the latter. */
export const promisedEndOf = (session: Session, lifetimes: Lifetimes): number =>
  Math.min(endOf(session, lifetimes), providerEndOf(session))

/** Milliseconds a mark of its end must last: under whatever lifetime the file says later, its cookie stays dead. */
export const markLifeOf = (session: Session, now: number, { lifetime }: Lifetimes): number =>
  Math.max(lifetime, session.expiresAt - now)

/** When a session will have been idle for too long, or ends anyway. */
export const idleEndOf = (live: LiveSession, lifetimes: Lifetimes): number =>
  Math.min(live.seenAt + lifetimes.idle, endOf(live.session, lifetimes))

export const isOver = (live: LiveSession, now: number, lifetimes: Lifetimes): boolean =>
  now >= idleEndOf(live, lifetimes)
