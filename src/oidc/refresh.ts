/** Renews tokens and claims (OpenID Connect Core 12). One flight per session is the caller's duty. */
import { type Configuration, ResponseBodyError, refreshTokenGrant, WWWAuthenticateChallengeError } from 'openid-client'
import { ClaimError, type ClaimSources, hasClaim, identityFrom, scopesOf } from '../core/claims.ts'
import type { Identity } from '../core/identity.ts'
import type { Proof } from '../core/proof.ts'
import type { Tokens } from '../core/tokens.ts'
import { refuseUninvited } from './admission.ts'
import { LoginFailure, loginFailureOf } from './failure.ts'
import { checkIdToken } from './id-token.ts'
import { tokensOf } from './login.ts'
import { claimRulesOf, type Received, sourcesOf } from './person.ts'
import type { Provider } from './provider.ts'

/**
 * `terminal`: the provider says it is over, the session ends. `operator`: our own credentials or settings are
 * wrong; nobody is logged out, somebody is alarmed. `transient`: try again later, the session stays.
 */
export type RefreshFailureKind = 'terminal' | 'operator' | 'transient'

/** Why tokens were not renewed. The message is private detail, for the log. */
export class RefreshFailure extends Error {
  readonly kind: RefreshFailureKind
  /** Bounded: labels metrics. */
  readonly reason: string

  constructor(kind: RefreshFailureKind, reason: string, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.name = 'RefreshFailure'
    this.kind = kind
    this.reason = reason
  }
}

/** What a refresh starts from: a Session fits. */
export interface Renewable {
  readonly identity: Identity
  readonly tokens: Tokens
  readonly sid?: string
}

/**
 * Redeems the refresh token once; the answer is the only one there will be, so save it before anything else.
 * @throws RefreshFailure
 */
export async function refreshTokens(provider: Provider, session: Renewable): Promise<Proof> {
  const { refreshToken } = session.tokens
  if (refreshToken === undefined) throw new RefreshFailure('terminal', 'no_refresh_token', 'there is no refresh token')
  try {
    // Before the refresh token is spent: without keys the new ID token could not be believed.
    await provider.keySet.keys()
    const configuration = await provider.configuration()
    const answer = await refreshTokenGrant(configuration, refreshToken)
    return await proofOf(provider, session, configuration, answer)
  } catch (error) {
    throw refreshFailureOf(error)
  }
}

type Answer = Awaited<ReturnType<typeof refreshTokenGrant>>

async function proofOf(
  provider: Provider,
  session: Renewable,
  configuration: Configuration,
  answer: Answer,
): Promise<Proof> {
  const now = provider.clock.now()
  const { access_token: accessToken, id_token } = answer
  const { subject } = session.identity
  const expected = { clientId: provider.config.clientId, accessToken, now }
  const idToken = id_token === undefined ? undefined : checkIdToken(id_token, expected)
  if (idToken !== undefined && idToken.sub !== subject) throw otherPerson()
  const sources = await sourcesOrNone(provider, { configuration, accessToken, idToken, subject })
  const sid = typeof idToken?.sid === 'string' ? idToken.sid : session.sid
  const identity =
    sources === undefined ? session.identity : renewedIdentity(provider, session.identity, sources, answer.scope)
  refuseUninvited(provider.config, identity)
  const kept = keptTokens(session.tokens, answer)
  const claims = { idToken, accessToken: sources?.accessToken }
  return {
    identity,
    tokens: { ...kept, ...tokensOf({ ...answer, ...refreshTokenOf(answer, kept) }, claims, now) },
    ...(sid !== undefined && { sid }),
  }
}

/**
 * The refresh token is spent by now: were userinfo's failure ours, the new one would be lost with it. Then the
 * identity stays what it was until the next renewal. Another person's userinfo is no failure of that kind.
 */
async function sourcesOrNone(provider: Provider, received: Received): Promise<ClaimSources | undefined> {
  try {
    return await sourcesOf(provider, received)
  } catch (error) {
    const failure = loginFailureOf(error)
    if (failure.reason === 'userinfo_sub') throw otherPerson()
    provider.log.warn({ provider: provider.config.name, detail: failure.message }, 'claims not renewed')
    return undefined
  }
}

/** A provider that does not rotate sends no new refresh token; one that does not repeat the ID token, none either. */
const keptTokens = ({ refreshToken, idToken, idExpiresAt, providerEndsAt }: Tokens, answer: Answer): Tokens => ({
  ...(refreshToken !== undefined && { refreshToken }),
  ...(idToken !== undefined && { idToken }),
  ...(idExpiresAt !== undefined && { idExpiresAt }),
  // The end of a token goes with it.
  ...(providerEndsAt !== undefined && answer.refresh_token === undefined && { providerEndsAt }),
})

const refreshTokenOf = (answer: Answer, { refreshToken }: Tokens) => {
  const newest = answer.refresh_token ?? refreshToken
  return newest === undefined ? {} : { refresh_token: newest }
}

/**
 * Claims are the newest ones; what no source spoke of stays as it was. A renewal is no authentication:
 * `auth_time` never moves forward by one (OpenID Connect Core 12.2).
 */
function renewedIdentity(provider: Provider, before: Identity, sources: ClaimSources, scope: unknown): Identity {
  const scopes = scope === undefined ? before.scopes : scopesOf(scope)
  if (sources.idToken === undefined && sources.userinfo === undefined && sources.accessToken === undefined) {
    return { ...before, scopes }
  }
  const now = identityFrom(sources, claimRulesOf(provider), scopes)
  const acr = now.acr ?? before.acr
  const authTime = Math.min(now.authTime ?? Number.POSITIVE_INFINITY, before.authTime ?? Number.POSITIVE_INFINITY)
  return {
    ...now,
    ...(sources.idToken === undefined && unspoken(provider, before, sources)),
    ...(acr !== undefined && { acr }),
    ...(Number.isFinite(authTime) && { authTime }),
  }
}

/** Members of the old identity that no source of an answer without ID token mentions. */
function unspoken({ config }: Provider, before: Identity, sources: ClaimSources): Partial<Identity> {
  const said = (claim: string) =>
    [sources.userinfo, sources.accessToken].some((source) => source !== undefined && hasClaim(source, claim))
  return {
    ...(!said('preferred_username') && { username: before.username }),
    ...(!said('email') && before.email !== undefined && { email: before.email }),
    ...(!said('name') && before.name !== undefined && { name: before.name }),
    ...(!said(config.groupsClaim) && { groups: before.groups }),
    ...(!said('realm_access') && { realmRoles: before.realmRoles }),
    ...(!said('resource_access') && { clientRoles: before.clientRoles }),
  }
}

const otherPerson = (): RefreshFailure =>
  new RefreshFailure('terminal', 'other_subject', 'the refreshed tokens are about another person')

const operatorErrors = new Set(['invalid_client', 'unauthorized_client'])

function refreshFailureOf(error: unknown): RefreshFailure {
  if (error instanceof RefreshFailure) return error
  const { code, reason, message } = loginFailureOf(error)
  return new RefreshFailure(kindOf(error), code === 'claims' ? 'claims' : reason, message)
}

/** By error code, never by message: `invalid_grant` alone ends a session (RFC 6749 5.2). */
function kindOf(error: unknown): RefreshFailureKind {
  if (error instanceof ResponseBodyError) {
    if (error.error === 'invalid_grant') return 'terminal'
    return operatorErrors.has(error.error) ? 'operator' : 'transient'
  }
  if (error instanceof WWWAuthenticateChallengeError && error.status === 401) return 'operator'
  // A claim nobody may carry, and a token that is not for us, do not get better by waiting.
  if (error instanceof ClaimError) return 'terminal'
  if (!(error instanceof LoginFailure)) return 'transient'
  return error.reason === 'id_token_claim' || error.code === 'not_allowed' ? 'terminal' : 'transient'
}
