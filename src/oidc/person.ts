/** Gathers what the provider says of a person: ID token, userinfo, access token. */
import { ClientError, type Configuration, fetchUserInfo, WWWAuthenticateChallengeError } from 'openid-client'
import { asymmetricAlgorithms } from '../core/algorithms.ts'
import { type ClaimRules, type ClaimSources, type Claims, claimAt, hasClaim } from '../core/claims.ts'
import { isJsonObject } from '../core/strict-json.ts'
import { readJwt } from '../issuer/jwt.ts'
import { clockTolerance } from './id-token.ts'
import type { Provider } from './provider.ts'

export interface Received {
  readonly configuration: Configuration
  readonly accessToken: string
  /** Verified claims; undefined after a refresh that gave no ID token. */
  readonly idToken: Claims | undefined
  readonly subject: string
}

/** @throws what openid-client and the wire throw where userinfo is needed and cannot be trusted or had */
export async function sourcesOf(provider: Provider, received: Received): Promise<ClaimSources> {
  const accessToken = await verifiedAccessToken(provider, received)
  const userinfo = needsUserinfo(provider, received.idToken) ? await userinfoOf(provider, received) : undefined
  return { idToken: received.idToken, userinfo, accessToken }
}

export function claimRulesOf(provider: Provider): ClaimRules {
  return { ...provider.config, provider: provider.config.name }
}

function needsUserinfo({ config }: Provider, idToken: Claims | undefined): boolean {
  if (idToken === undefined || !hasClaim(idToken, config.groupsClaim)) return true
  if (config.scopes.includes('email') && !hasClaim(idToken, 'email')) return true
  return config.claimsKept.some((name) => claimAt(idToken, name) === undefined)
}

/**
 * Userinfo, its `sub` compared. A plain refusal (Keycloak: lightweight access token, scope missing) counts as "it
 * says nothing"; anything else fails the login: with half the groups, `not` rules would let the wrong people in.
 */
async function userinfoOf(provider: Provider, received: Received): Promise<Claims | undefined> {
  if ((await provider.metadata()).userinfoEndpoint === undefined) return undefined
  try {
    const claims: unknown = await fetchUserInfo(received.configuration, received.accessToken, received.subject)
    return isJsonObject(claims) ? claims : undefined
  } catch (error) {
    const status = refusalOf(error)
    if (status === undefined) throw error
    provider.log.warn({ provider: provider.config.name, status }, 'userinfo refused, going on without it')
    return undefined
  }
}

function refusalOf(error: unknown): number | undefined {
  if (error instanceof WWWAuthenticateChallengeError) return error.status
  const cause = error instanceof ClientError ? error.cause : undefined
  const refused = cause instanceof Response && (cause.status === 403 || cause.status === 404)
  return refused ? cause.status : undefined
}

/**
 * The access token's claims, for Keycloak's roles: where it is a JWT of this issuer, about this person, made for
 * this client. An opaque one, or one that fails, says nothing.
 */
async function verifiedAccessToken(provider: Provider, received: Received): Promise<Claims | undefined> {
  const claims = readJwt(received.accessToken)?.payload
  if (claims === undefined) return undefined
  const unfit = unfitness(claims, provider, received.subject)
  if (unfit !== undefined) return ignored(provider, unfit)
  try {
    const result = await provider.keySet.verify(received.accessToken, asymmetricAlgorithms)
    return result.valid ? claims : ignored(provider, result.detail)
  } catch {
    return ignored(provider, 'no keys to verify it')
  }
}

function unfitness(claims: Claims, { config, clock }: Provider, subject: string): string | undefined {
  if (claims.iss !== config.issuer) return 'another issuer'
  if (claims.sub !== subject) return 'another sub, or none'
  if ((claims.azp ?? claims.client_id) !== config.clientId) return 'made for another client'
  const seconds = clock.now() / 1000
  if (typeof claims.exp !== 'number' || claims.exp + clockTolerance <= seconds) return 'expired'
  return undefined
}

function ignored(provider: Provider, why: string): undefined {
  provider.log.debug({ provider: provider.config.name, why }, 'access token not read for claims')
  return undefined
}
