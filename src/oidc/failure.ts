/** Sorts everything that can go wrong between us and a provider into a few outcomes. */
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { ClaimError } from '../core/claims.ts'
import { type ErrorCode, GatewayError } from '../core/errors.ts'
import { isJsonObject } from '../core/strict-json.ts'
import { otherName } from '../issuer/issuer-mismatch.ts'
import { ProviderUnreachable } from '../issuer/transport.ts'

export type LoginFailureCode =
  | 'denied'
  | 'provider_error'
  | 'invalid_response'
  | 'unreachable'
  | 'timeout'
  | 'client_rejected'
  | 'code_rejected'
  | 'claims'
  | 'not_allowed'

const rows: Record<LoginFailureCode, ErrorCode> = {
  denied: 'login_denied',
  provider_error: 'login_failed',
  invalid_response: 'login_failed',
  unreachable: 'provider_unreachable',
  timeout: 'provider_unreachable',
  client_rejected: 'login_failed',
  code_rejected: 'login_expired',
  claims: 'login_failed',
  not_allowed: 'login_not_allowed',
}

/** Why a login did not happen. The message is private detail, for the log. */
export class LoginFailure extends Error {
  readonly code: LoginFailureCode
  /** Bounded: labels metrics. */
  readonly reason: string
  /** What the provider said, printable ASCII of at most 200 characters: for the page, escaped like anything else. */
  readonly description?: string

  constructor(
    code: LoginFailureCode,
    reason: string,
    detail: string,
    more: { description?: string } & ErrorOptions = {},
  ) {
    super(detail, more)
    this.name = 'LoginFailure'
    this.code = code
    this.reason = reason
    if (more.description !== undefined) this.description = more.description
  }

  /** Reason and message in one line of the log; what the provider said is in both, and told once. */
  get detail(): string {
    return this.message.includes(`: ${this.reason}`) ? this.message : `${this.reason}: ${this.message}`
  }

  /** The row of the error table that people see. */
  get error(): ErrorCode {
    return rows[this.code]
  }
}

/** Error codes of OAuth and OpenID Connect that we know; others are `other`, so that labels stay few. */
const knownErrors = new Set(
  [
    'access_denied account_selection_required consent_required insufficient_user_authentication interaction_required',
    'invalid_client invalid_grant invalid_request invalid_request_object invalid_scope invalid_token login_required',
    'not_allowed registration_not_supported request_not_supported server_error temporarily_unavailable',
    'unauthorized_client unmet_authentication_requirements unsupported_grant_type unsupported_response_type',
  ].flatMap((line) => line.split(' ')),
)

/** Errors of the token endpoint that say: we, the client, are wrong. Nobody's session is to blame. */
const clientErrors = new Set(['invalid_client', 'unauthorized_client'])

/**
 * What openid-client, the wire or the claims threw, as a LoginFailure. Anything unknown is an invalid response.
 * openid-client's errors do not go along as `cause`: they hold the answer's body, tokens included.
 */
export function loginFailureOf(error: unknown): LoginFailure {
  if (error instanceof LoginFailure) return error
  if (error instanceof AuthorizationResponseError) return providerSaid(error, 'authorization response')
  if (error instanceof ResponseBodyError) return tokenEndpointSaid(error)
  if (error instanceof ClaimError) return new LoginFailure('claims', 'claims', error.message)
  if (error instanceof WWWAuthenticateChallengeError) return challenged(error)
  const wire = inCauses(error, (cause) => cause instanceof GatewayError)
  if (wire instanceof GatewayError) return wireFailure(wire)
  if (error instanceof ClientError) return invalid(error)
  return new LoginFailure('invalid_response', 'other', messageOf(error))
}

function providerSaid(error: AuthorizationResponseError | ResponseBodyError, where: string): LoginFailure {
  const { reason, detail, description } = wordsOf(error, where)
  const code = error.error === 'access_denied' ? 'denied' : 'provider_error'
  return new LoginFailure(code, reason, detail, description)
}

function tokenEndpointSaid(error: ResponseBodyError): LoginFailure {
  const { reason, detail, description } = wordsOf(error, 'token endpoint')
  if (clientErrors.has(error.error)) {
    const hint = `${detail}; check clientId, clientSecret and the authentication method at the provider`
    return new LoginFailure('client_rejected', reason, hint)
  }
  const code = error.error === 'invalid_grant' ? 'code_rejected' : 'provider_error'
  return new LoginFailure(code, reason, detail, description)
}

function wordsOf(error: AuthorizationResponseError | ResponseBodyError, where: string) {
  const description = printable(error.error_description ?? '')
  return {
    reason: knownErrors.has(error.error) ? error.error : 'other',
    detail: `${where}: ${printable(error.error)}${description === '' ? '' : `: ${description}`}${hintFor(description)}`,
    description: description === '' ? {} : { description },
  }
}

/** Keycloak without a fixed name takes itself for whoever it was asked as, and refuses tokens it made under another. */
const hintFor = (description: string): string =>
  description.startsWith('Invalid token issuer')
    ? '; Keycloak goes by another name when it is asked from here: give it one fixed `hostname`'
    : ''

/** A 401 with a challenge from the token endpoint is `invalid_client` (RFC 6749 5.2). */
function challenged(error: WWWAuthenticateChallengeError): LoginFailure {
  const detail = `the provider answered ${error.status} with a challenge`
  if (error.status === 401) return new LoginFailure('client_rejected', 'invalid_client', detail)
  return new LoginFailure('provider_error', 'other', detail)
}

function wireFailure(error: GatewayError): LoginFailure {
  const fault = error instanceof ProviderUnreachable ? error.fault : 'metadata'
  const code = fault === 'timeout' ? 'timeout' : fault === 'too_large' ? 'invalid_response' : 'unreachable'
  return new LoginFailure(code, fault, error.message, { cause: error })
}

/** openid-client's code for a check that failed -> our label. */
const checks: Record<string, string> = {
  OAUTH_JWT_CLAIM_COMPARISON_FAILED: 'id_token_claim',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'clock_skew',
  OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: 'userinfo_sub',
  OAUTH_KEY_SELECTION_FAILED: 'unknown_key',
  OAUTH_RESPONSE_IS_NOT_JSON: 'not_json',
  OAUTH_PARSE_ERROR: 'not_json',
  OAUTH_UNSUPPORTED_OPERATION: 'unsupported',
  OAUTH_INVALID_RESPONSE: 'response',
}

function invalid(error: ClientError): LoginFailure {
  const status = error.cause instanceof Response ? error.cause.status : undefined
  if (error.code === 'OAUTH_TIMEOUT') return new LoginFailure('timeout', 'timeout', 'no answer in time')
  if (status !== undefined && status >= 500) {
    return new LoginFailure('unreachable', 'http_5xx', `the provider answered ${status}`)
  }
  const inner = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  const answer = status === undefined ? '' : ` (${status})`
  const reason = isAuthTime(error)
    ? 'auth_time'
    : (checks[error.code ?? ''] ?? (status === undefined ? 'other' : 'http_status'))
  return new LoginFailure('invalid_response', reason, issuerTold(error) ?? `${error.message}${answer}${inner}`)
}

/** The one time claim that speaks of the person and not of the clock. */
const isAuthTime = (error: ClientError): boolean => factsOf(error).claim === 'auth_time'

/** Another issuer than that of discovery, and where it was named. */
function issuerTold(error: ClientError): string | undefined {
  const { expected, claim, claims, parameters } = factsOf(error)
  if (typeof expected !== 'string') return undefined
  if (claim === 'iss' && isJsonObject(claims)) return otherName(expected, claims.iss, 'in its ID token')
  // Of a `state` that differs it says the same in the same words.
  const isIssuer = error.cause instanceof Error && error.cause.message.includes('"iss"')
  if (!isIssuer || !(parameters instanceof URLSearchParams)) return undefined
  return otherName(expected, parameters.get('iss'), 'in the answer that browsers bring back')
}

/** What openid-client compared. */
function factsOf(error: ClientError): Readonly<Record<string, unknown>> {
  const facts = error.cause instanceof Error ? error.cause.cause : undefined
  return isJsonObject(facts) ? facts : {}
}

function inCauses(error: unknown, wanted: (cause: unknown) => boolean): unknown {
  let cause = error
  for (let depth = 0; depth < 5; depth++) {
    if (wanted(cause)) return cause
    if (!(cause instanceof Error)) return undefined
    cause = cause.cause
  }
  return undefined
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown fault')

/** Foreign text for a log line or a page: one line, ASCII, bounded. */
export const printable = (text: string): string => text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?')
