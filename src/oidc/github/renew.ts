/** Asks GitHub whether a session still holds: the token, the account, its organisations. */
import { ClaimError } from '../../core/claims.ts'
import type { Identity } from '../../core/identity.ts'
import type { Proof } from '../../core/proof.ts'
import type { Tokens } from '../../core/tokens.ts'
import { type LoginFailure, loginFailureOf } from '../failure.ts'
import { RefreshFailure, type RefreshFailureKind, type Renewable } from '../refresh.ts'
import type { Granted } from './tokens.ts'

export interface RenewParts {
  /** @throws LoginFailure */
  readonly redeem: (refreshToken: string) => Promise<Granted>
  /** @throws LoginFailure */
  readonly person: (accessToken: string, scopes: readonly string[]) => Promise<Identity>
  readonly now: () => number
  /** Milliseconds until the next question. */
  readonly confirmEvery: number
  readonly onUnread: (detail: string) => void
}

/**
 * In front of an access token that has no end, in the place of a refresh token: such a token is its own means of
 * renewal, and the `cookie` store keeps no other.
 */
const endless = 'access_token '

/** What a session has to keep so that it can be renewed later. */
export const renewable = (tokens: Granted['tokens']): Tokens =>
  tokens.refreshToken === undefined && tokens.accessExpiresAt === undefined
    ? { ...tokens, refreshToken: endless + tokens.accessToken }
    : tokens

/**
 * A token that will live until the next question is asked whether it still counts, and not spent: GitHub issues ten
 * an hour to one person and takes the oldest away.
 *
 * @throws RefreshFailure
 */
export async function renewGitHubSession(parts: RenewParts, session: Renewable): Promise<Proof> {
  const { identity: before, tokens } = session
  try {
    const known = livingToken(tokens, parts)
    if (known !== undefined) return { identity: await samePerson(parts, known, before, before.scopes), tokens }
    const { refreshToken } = tokens
    if (refreshToken === undefined)
      throw new RefreshFailure('terminal', 'no_refresh_token', 'there is no refresh token')
    const granted = await parts.redeem(refreshToken)
    const identity = await samePerson(parts, granted.tokens.accessToken, before, granted.scopes).catch(
      (error: unknown) => unlessFinal(error, before, parts),
    )
    return { identity, tokens: renewable(granted.tokens) }
  } catch (error) {
    throw refreshFailureOf(error)
  }
}

function livingToken({ accessToken, accessExpiresAt, refreshToken }: Tokens, parts: RenewParts): string | undefined {
  if (refreshToken?.startsWith(endless)) return refreshToken.slice(endless.length)
  const lives = accessExpiresAt !== undefined && accessExpiresAt - parts.now() > parts.confirmEvery
  return lives ? accessToken : undefined
}

async function samePerson(
  { person }: RenewParts,
  accessToken: string,
  before: Identity,
  scopes: readonly string[],
): Promise<Identity> {
  const identity = await person(accessToken, scopes)
  if (identity.subject === before.subject) return identity
  throw new RefreshFailure('terminal', 'other_subject', 'the token is about another person')
}

/** The refresh token is spent by now: were a passing fault final, the new one would be lost with it. */
function unlessFinal(error: unknown, before: Identity, parts: RenewParts): Identity {
  const failure = refreshFailureOf(error)
  if (failure.kind === 'terminal') throw failure
  parts.onUnread(failure.message)
  return before
}

function refreshFailureOf(error: unknown): RefreshFailure {
  if (error instanceof RefreshFailure) return error
  const failure = loginFailureOf(error)
  return new RefreshFailure(kindOf(failure, error), failure.reason, failure.message)
}

/** What waiting does not mend ends the session; what our own registration lacks, and the wire, do not. */
function kindOf({ code, reason }: LoginFailure, error: unknown): RefreshFailureKind {
  if (error instanceof ClaimError || code === 'claims' || code === 'not_allowed') return 'terminal'
  if (reason === 'token_revoked' || code === 'code_rejected') return 'terminal'
  return code === 'client_rejected' || reason === 'forbidden' ? 'operator' : 'transient'
}
