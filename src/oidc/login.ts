/** The authorization code flow (OpenID Connect Core 3.1), always with PKCE S256, state and nonce. */
import { authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client'
import type { ProviderConfig } from '../config/config.ts'
import { type Claims, identityFrom, scopesOf } from '../core/claims.ts'
import type { Proof } from '../core/proof.ts'
import type { Tokens } from '../core/tokens.ts'
import { refuseUninvited } from './admission.ts'
import { LoginFailure, loginFailureOf } from './failure.ts'
import { checkIdToken } from './id-token.ts'
import { claimRulesOf, sourcesOf } from './person.ts'
import type { Provider } from './provider.ts'
import { expiresInOf, longestExpiresIn, providerEndOf } from './token-response.ts'

export interface LoginRequest {
  /** From the configuration, never from a Host header (RFC 9700 2.1). */
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Asked for as an essential claim: the first that the provider can do. */
  readonly acr?: readonly string[]
  /** Seconds since the person last proved themselves. */
  readonly maxAge?: number
  readonly prompt?: string
  /** From the login link; those the file does not allow are dropped. */
  readonly parameters?: Readonly<Record<string, string>>
}

/** Ours: no parameter of the file or of a link replaces these. */
const ours = new Set(
  [
    'client_id redirect_uri response_type response_mode scope state nonce code_challenge code_challenge_method',
    'request request_uri client_secret client_assertion client_assertion_type',
  ].flatMap((line) => line.split(' ')),
)
/** A link may pass these on only as far as nothing on our side asks for them. */
const longestParameter = 512

/**
 * The address to send the browser to.
 * @throws GatewayError `provider_unreachable` where discovery has not succeeded yet
 */
export async function beginLogin(provider: Provider, request: LoginRequest): Promise<URL> {
  const configuration = await provider.configuration()
  const { config } = provider
  const prompt = request.prompt ?? config.prompt
  return buildAuthorizationUrl(configuration, {
    ...furtherParameters(config, request),
    ...(prompt !== undefined && { prompt }),
    ...(request.maxAge !== undefined && { max_age: String(request.maxAge) }),
    ...acrParameters(request.acr),
    response_type: 'code',
    redirect_uri: request.redirectUri,
    scope: config.scopes.join(' '),
    state: request.state,
    nonce: request.nonce,
    code_challenge: await calculatePKCECodeChallenge(request.codeVerifier),
    code_challenge_method: 'S256',
  })
}

/** Of the file, and of the login link as far as the file allows. */
export function furtherParameters(config: ProviderConfig, { parameters = {} }: LoginRequest): Record<string, string> {
  return { ...withoutOurs(config.authorizationParameters), ...withoutOurs(allowedOf(config, parameters)) }
}

const withoutOurs = (parameters: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => !ours.has(name)))

function allowedOf(config: ProviderConfig, parameters: Readonly<Record<string, string>>): Record<string, string> {
  const allowed = Object.entries(parameters).filter(
    ([name, value]) =>
      config.allowedParameters.includes(name) && value.length <= longestParameter && !/\p{Cc}/u.test(value),
  )
  return Object.fromEntries(allowed)
}

/**
 * OpenID Connect Core 5.5.1.1: essential, since `acr_values` is but a wish. Never both: what a provider makes of them
 * together is unspecified there, and one takes the wish then.
 */
function acrParameters(acr: readonly string[] | undefined): Record<string, string> {
  if (acr === undefined || acr.length === 0) return {}
  const claims = { id_token: { acr: { essential: true, values: acr } } }
  return { claims: JSON.stringify(claims) }
}

export interface LoginTransaction {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Seconds, where the request said so: the answer has to prove it. */
  readonly maxAge?: number
}

/**
 * Redeems the code of a callback, once: a failed exchange is never tried again.
 *
 * @param currentUrl the configured redirect URI with the query that came
 * @throws LoginFailure
 */
export async function finishLogin(provider: Provider, currentUrl: URL, transaction: LoginTransaction): Promise<Proof> {
  try {
    refuseStrangeAnswer(currentUrl.searchParams)
    // Before the code is spent: without keys its ID token could not be believed.
    await provider.keySet.keys()
    const configuration = await provider.configuration()
    const answer = await authorizationCodeGrant(configuration, currentUrl, {
      expectedState: transaction.state,
      expectedNonce: transaction.nonce,
      pkceCodeVerifier: transaction.codeVerifier,
      idTokenExpected: true,
      ...(transaction.maxAge !== undefined && { maxAge: transaction.maxAge }),
    })
    const now = provider.clock.now()
    const { access_token: accessToken, id_token } = answer
    if (id_token === undefined) throw new LoginFailure('invalid_response', 'response', 'no ID token')
    const idToken = checkIdToken(id_token, { clientId: provider.config.clientId, accessToken, now })
    const subject = typeof idToken.sub === 'string' ? idToken.sub : ''
    const sources = await sourcesOf(provider, { configuration, accessToken, idToken, subject })
    // RFC 6749 5.1: no scope in the answer means as asked for.
    const scopes = answer.scope === undefined ? provider.config.scopes : scopesOf(answer.scope)
    const identity = identityFrom(sources, claimRulesOf(provider), scopes)
    refuseUninvited(provider.config, identity)
    return {
      identity,
      tokens: tokensOf(answer, { idToken, accessToken: sources.accessToken }, now),
      ...(typeof idToken.sid === 'string' && { sid: idToken.sid }),
    }
  } catch (error) {
    throw loginFailureOf(error)
  }
}

/** RFC 6749 3.1: parameters come once. Whoever reads the first of two and whoever reads the last disagree. */
export function refuseStrangeAnswer(parameters: URLSearchParams): void {
  const names = [...parameters.keys()]
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) throw strange('a parameter comes twice')
  if (parameters.has('error') && parameters.has('code')) throw strange('both a code and an error')
  if (parameters.has('response')) throw strange('a JARM response that was not asked for')
}

const strange = (what: string): LoginFailure =>
  new LoginFailure('invalid_response', 'callback_parameters', `the callback holds ${what}`)

/** What the token endpoint gave, in our words. */
export function tokensOf(
  answer: TokenAnswer,
  claims: { idToken: Claims | undefined; accessToken: Claims | undefined },
  now: number,
): Tokens {
  const ends = {
    refreshToken: answer.refresh_token,
    refreshExpiresIn: answer.refresh_expires_in,
    expiresIn: answer.expires_in,
    exp: [claims.accessToken?.exp, claims.idToken?.exp],
  }
  const providerEndsAt = providerEndOf(ends, now)
  return {
    accessToken: answer.access_token,
    accessExpiresAt: now + Math.round(expiresInOf(answer.expires_in, claims.accessToken?.exp, now / 1000) * 1000),
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(answer.id_token !== undefined && { idToken: answer.id_token }),
    ...(claims.idToken !== undefined && { idExpiresAt: now + lifeOf(claims.idToken) }),
    ...(providerEndsAt !== undefined && { providerEndsAt }),
  }
}

/** Of a token endpoint, as openid-client leaves it. */
export interface TokenAnswer {
  readonly access_token: string
  readonly expires_in?: number
  readonly refresh_token?: string
  readonly id_token?: string
  /** Keycloak's own member; anything may be in it. */
  readonly refresh_expires_in?: unknown
}

/** Milliseconds an ID token lives: `iat` is when it was issued, after a refresh too (OpenID Connect Core 12.2). */
const lifeOf = ({ iat, exp }: Claims): number =>
  Math.min(Math.max(Number(exp) - Number(iat), 0), longestExpiresIn) * 1000
