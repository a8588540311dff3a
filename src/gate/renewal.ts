import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Proof } from '../core/proof.ts'
import type { IdentityProvider } from '../oidc/identity-provider.ts'
import { RefreshFailure } from '../oidc/refresh.ts'
import { outlivesProvider } from '../session/lifetimes.ts'
import type { LiveSession, Session, SessionStore } from '../session/session.ts'
import type { Leases } from '../storage/lease.ts'
import { isFinal, type Refreshed, type Renewed, refreshOnce, unchanged } from './refresh-once.ts'
import { createRefreshQueue } from './refresh-queue.ts'

/**
 * What is due before a session is used. `hop`: due, but only a redirect through our own page can deliver it. `last`: the
 * same, and soon too late; who cannot be redirected waits, and the renewed session is kept here until its cookie goes home.
 */
export type Due = 'no' | 'background' | 'wait' | 'hop' | 'last'

export type RenewalOutcome = 'renewed' | 'ended' | 'transient' | 'operator'

export interface Renewal {
  /**
   * @param canSetCookie whether this answer could carry the cookie that a sealed session needs after a renewal
   * @param tokenEnd when a token that has to be passed on expires: the renewal comes before that
   */
  due(live: LiveSession, canSetCookie: boolean, tokenEnd?: number): Due
  /**
   * Asks the provider for fresh tokens and claims, once per session however many requests wait. A fault of the
   * network or of our client's registration keeps the session as it was; only the provider's word ends it.
   * @throws GatewayError `provider_unreachable` where that word has run out, and a fault keeps the end from being settled
   */
  renew(live: LiveSession, sessions: SessionStore): Promise<Renewed>
  renewInBackground(live: LiveSession, sessions: SessionStore): void
}

export interface RenewalParts {
  readonly providers: ReadonlyMap<string, IdentityProvider>
  /** So that one process asks, of all that share the store. */
  readonly leases: Leases
  /** The session lives in the browser's cookie, so a renewal must reach the browser. */
  readonly sealed: boolean
  /** Milliseconds; undefined: 80 % of the access token's life, or sooner where the provider says so. */
  readonly refreshEvery: number | undefined
  readonly clock: Clock
  readonly log: Log
  readonly onOutcome: (outcome: RenewalOutcome, session: Session, detail: string) => void
}

/** After a failure the next attempt waits this long, so that a provider in trouble is not asked by every request. */
const retryAfter = 10_000
/** Milliseconds a token that is passed on must still be good for: it is checked elsewhere, and by another clock. */
const margin = 10_000

/** The part of a refresh token's life in which somebody who is there can still be redirected. */
const soonTooLate = 0.9

const never = Number.POSITIVE_INFINITY

export function createRenewal(parts: RenewalParts): Renewal {
  const { providers, leases, sealed, refreshEvery, clock, log } = parts
  const flights = new Map<string, Promise<Renewed>>()
  const notBefore = new WeakMap<Session, number>()
  const queues = new Map(Array.from(providers, ([name, { config }]) => [name, createRefreshQueue(config.timeout)]))

  function due({ session }: LiveSession, canSetCookie: boolean, tokenEnd?: number): Due {
    const now = clock.now()
    // Ending it takes no new cookie, so it is done whoever asks.
    if (outlivesProvider(session, now)) return 'wait'
    if (session.tokens.refreshToken === undefined) return 'no'
    const usual = refreshEvery ?? periodOf(session, providers.get(session.identity.provider)?.confirmEvery) ?? never
    const life = Math.min(lifeLeft(session, tokenEnd), lifeLeft(session, session.tokens.providerEndsAt))
    const period = Math.min(usual, life)
    if (period === never || now < session.renewedAt + early(session, period)) return 'no'
    if (now < (notBefore.get(session) ?? 0)) return 'no'
    const latest = Math.min(usual, life - Math.min(margin, life / 10))
    const canStillWait = now < session.renewedAt + latest
    if (!sealed) return canStillWait ? 'background' : 'wait'
    // Its cookie needs the answer of a request, so a request waits: for the provider, and not for everybody else's turn.
    if (canStillWait && queues.get(session.identity.provider)?.isFull()) return 'no'
    if (canSetCookie) return 'wait'
    return now < session.renewedAt + soonTooLate * lifeLeft(session, session.tokens.providerEndsAt) ? 'hop' : 'last'
  }

  async function renew(live: LiveSession, sessions: SessionStore): Promise<Renewed> {
    const renewed = await flightOf(live, sessions)
    if (renewed.kind === 'ended' || renewed.fresh || !outlivesProvider(renewed.live.session, clock.now()))
      return renewed
    throw new GatewayError(
      'provider_unreachable',
      "the provider's word has run out, and no newer one could be looked for",
    )
  }

  function flightOf(live: LiveSession, sessions: SessionStore): Promise<Renewed> {
    const { id } = live.session
    const flying = flights.get(id)
    if (flying !== undefined) return flying
    const flight = attempt(live, sessions).finally(() => flights.delete(id))
    flights.set(id, flight)
    return flight
  }

  async function attempt(live: LiveSession, sessions: SessionStore): Promise<Renewed> {
    const { session } = live
    try {
      const refreshed = await refresh(live, sessions)
      if (refreshed === undefined) return unchanged(live)
      const { word, renewed } = refreshed
      if (word === 'failed') notBefore.set(session, clock.now() + retryAfter)
      else if (word === 'renewed') parts.onOutcome('renewed', session, '')
      return renewed
    } catch (error) {
      return afterFailure(error, live, sessions)
    }
  }

  /** Undefined where there is nothing to redeem, and nobody to ask. */
  function refresh(live: LiveSession, sessions: SessionStore): Promise<Refreshed> | undefined {
    const { session } = live
    const once = (redeem: () => Promise<Proof>) => refreshOnce({ live, sessions, redeem, leases, clock })
    // Asked all the same, with the lease in hand: another replica may have renewed it in time.
    if (outlivesProvider(session, clock.now())) return once(() => Promise.reject(ranOut(session)))
    const { provider: name } = session.identity
    const [provider, queue] = [providers.get(name), queues.get(name)]
    if (provider === undefined || queue === undefined || session.tokens.refreshToken === undefined) return undefined
    // The turn comes before the lease: thousands that wait for theirs have nothing to keep alive in the store.
    return queue.run(() => once(() => provider.renew(session)))
  }

  async function afterFailure(error: unknown, live: LiveSession, sessions: SessionStore): Promise<Renewed> {
    const { session } = live
    const detail = error instanceof Error ? error.message : String(error)
    if (isFinal(error)) {
      await sessions.end(session)
      parts.onOutcome('ended', session, detail)
      return { kind: 'ended' }
    }
    notBefore.set(session, clock.now() + retryAfter)
    const isOperators = error instanceof RefreshFailure && error.kind === 'operator'
    parts.onOutcome(isOperators ? 'operator' : 'transient', session, detail)
    return unchanged(live)
  }

  return {
    due,
    renew,
    renewInBackground(live, sessions) {
      flightOf(live, sessions).catch((error: unknown) => log.error({ err: error }, 'background renewal failed'))
    },
  }
}

/** The provider would say no more than this, so it is not asked. */
function ranOut({ tokens }: Session): RefreshFailure {
  const end = new Date(tokens.providerEndsAt ?? 0).toISOString()
  const detail =
    tokens.refreshToken === undefined
      ? `the tokens ran out at ${end}, and no refresh token came with them (scope offline_access, or a setting of the client)`
      : `the refresh token ran out at ${end}, unused (Keycloak: SSO Session Idle and Max); the provider was not asked`
  return new RefreshFailure('terminal', 'ran_out', detail)
}

/** From one renewal to the time the next must be done, in milliseconds; undefined where nothing says so. */
function periodOf({ tokens, renewedAt }: Session, confirmEvery: number | undefined): number | undefined {
  if (tokens.accessExpiresAt === undefined) return confirmEvery
  return Math.min(Math.max(tokens.accessExpiresAt - renewedAt, 1000), confirmEvery ?? Number.POSITIVE_INFINITY)
}

/** What the last renewal left of the life of a token. One that it left as it was is brought by no other either. */
const lifeLeft = (session: Session, tokenEnd = never): number =>
  isRenewable(session, tokenEnd) ? Math.max(tokenEnd - session.renewedAt, 1000) : never

/** Whether a refresh can bring a token that ends later: there is a refresh token, and the last one did bring it. */
export const isRenewable = ({ tokens, renewedAt }: Session, tokenEnd: number): boolean =>
  tokens.refreshToken !== undefined && tokenEnd > renewedAt

/**
 * Between 70 % and 80 % of the period, fixed per session, so that logins of one minute do not renew in one
 * second. The id is random, so its first character is spread enough.
 */
function early(session: Session, period: number): number {
  return period * (0.7 + 0.1 * ((session.id.charCodeAt(0) % 16) / 15))
}
