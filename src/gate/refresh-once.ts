/** Owns that a refresh token is redeemed once, by one of all processes that share a store. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Proof } from '../core/proof.ts'
import { RefreshFailure } from '../oidc/refresh.ts'
import { renewSession } from '../session/lifetimes.ts'
import { type RefreshWord, refreshLeaseOf } from '../session/refresh-lease.ts'
import type { KeptSession, LiveSession, Session, SessionStore, SetCookies } from '../session/session.ts'
import type { Leases } from '../storage/lease.ts'

export type Renewed =
  | { readonly kind: 'live'; readonly live: LiveSession; readonly setCookies: SetCookies; readonly fresh: boolean }
  | { readonly kind: 'ended' }

export interface RefreshParts {
  readonly live: LiveSession
  readonly sessions: SessionStore
  /** Redeems the refresh token of `live`. @throws RefreshFailure */
  readonly redeem: () => Promise<Proof>
  readonly leases: Leases
  readonly clock: Clock
}

export interface Refreshed {
  /** How it went here; undefined where another process did it, whose business the counting is. */
  readonly word: RefreshWord | undefined
  readonly renewed: Renewed
}

/** Leases waited for in a row before a request goes on with what it has. */
const maxRounds = 6

/**
 * Lease, read again under it, redeem, save, and only then the word to everybody who waits: they read what was saved.
 * @throws RefreshFailure; GatewayError `store_unreachable`
 */
export async function refreshOnce(parts: RefreshParts): Promise<Refreshed> {
  const { live, sessions, leases } = parts
  for (let round = 0; round < maxRounds; round++) {
    const lease = await leases.acquire(refreshLeaseOf(live.session))
    if (lease.kind === 'held') return refreshUnder(parts, (word) => lease.release(word))
    const word = await lease.done
    const newest = await newerOf(live, sessions)
    if (newest !== undefined) return { word: undefined, renewed: newest }
    if (word === ('failed' satisfies RefreshWord)) break
  }
  return { word: 'failed', renewed: unchanged(live) }
}

async function refreshUnder(parts: RefreshParts, release: (word: RefreshWord) => Promise<void>): Promise<Refreshed> {
  let word: RefreshWord = 'failed'
  try {
    // Whoever had the lease before may have renewed or ended it.
    const newest = await newerOf(parts.live, parts.sessions)
    const refreshed = newest === undefined ? await redeemAndSave(parts) : { word: undefined, renewed: newest }
    word = refreshed.renewed.kind === 'ended' ? 'ended' : 'renewed'
    return refreshed
  } finally {
    // A lease that cannot be given back runs out; the outcome stands.
    await release(word).catch(() => {})
  }
}

async function redeemAndSave({ live, sessions, redeem, clock }: RefreshParts): Promise<Refreshed> {
  try {
    const kept = await save(live, renewSession(live.session, await redeem(), clock.now()), sessions)
    if (kept === undefined) return { word: 'ended', renewed: { kind: 'ended' } }
    return { word: 'renewed', renewed: { kind: 'live', ...kept, fresh: true } }
  } catch (error) {
    // A holder that was paused past its lease may have redeemed the token before us, and saved what came of it.
    const newest = isFinal(error) ? await newerOf(live, sessions) : undefined
    if (newest === undefined) throw error
    return { word: undefined, renewed: newest }
  }
}

/** The old token is spent: what came for it must be kept, so a store that is away for a moment is waited for. */
async function save(live: LiveSession, next: Session, sessions: SessionStore): Promise<KeptSession | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await sessions.replace(live, next)
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'store_unreachable') || tries === saveTries) throw error
      await sleep(saveEvery)
    }
  }
}

const saveTries = 12
const saveEvery = 500

/** What another process made of the session meanwhile; undefined where nothing happened. */
async function newerOf(live: LiveSession, sessions: SessionStore): Promise<Renewed | undefined> {
  const kept = await sessions.reload(live)
  if (kept === undefined) return { kind: 'ended' }
  return kept.live.session.renewedAt > live.session.renewedAt ? { kind: 'live', ...kept, fresh: true } : undefined
}

export const unchanged = (live: LiveSession): Renewed => ({ kind: 'live', live, setCookies: [], fresh: false })

/** The provider's word, or a session that no longer fits its cookie: its refresh token was used up on the way. */
export const isFinal = (error: unknown): boolean =>
  (error instanceof RefreshFailure && error.kind === 'terminal') ||
  (error instanceof GatewayError && error.code === 'session_too_large')
