/** GitHub's token endpoint: codes and refresh tokens for access tokens. */
import type { ProviderConfig } from '../../config/config.ts'
import { scopesOf } from '../../core/claims.ts'
import { isJsonObject } from '../../core/strict-json.ts'
import type { Tokens } from '../../core/tokens.ts'
import type { Transport } from '../../issuer/transport.ts'
import { LoginFailure, type LoginFailureCode, printable } from '../failure.ts'
import { longestExpiresIn, refreshLifeOf } from '../token-response.ts'
import { passingTrouble, readJson } from './answer.ts'

export interface Granted {
  readonly tokens: Tokens & { readonly accessToken: string }
  /** Empty for GitHub Apps, whose permissions are set at GitHub. */
  readonly scopes: readonly string[]
}

export interface TokenParts {
  readonly config: ProviderConfig
  readonly transport: Transport
  readonly endpoint: URL
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * Asks once; nothing is ever tried a second time.
 * @throws LoginFailure
 */
export async function askForTokens(parts: TokenParts, grant: Readonly<Record<string, string>>): Promise<Granted> {
  const { config, transport, endpoint, now } = parts
  const form = new URLSearchParams({ client_id: config.clientId, ...secretOf(config), ...grant })
  const response = await transport.fetch(endpoint, {
    method: 'POST',
    // Without it GitHub answers in a form of its own.
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  })
  const body = await readJson(response)
  const trouble = passingTrouble(response, body)
  if (trouble !== undefined) throw trouble
  if (!isJsonObject(body)) {
    throw new LoginFailure(
      'invalid_response',
      'not_json',
      `the token endpoint answered ${response.status} without JSON`,
    )
  }
  // Refusals come with 200 (an unknown client with 404), so the member decides and never the status.
  if (body.error !== undefined) throw refusal(body)
  return grantedIn(body, now)
}

const secretOf = ({ clientAuth }: ProviderConfig): Record<string, string> =>
  clientAuth.method === 'client_secret_basic' || clientAuth.method === 'client_secret_post'
    ? { client_secret: clientAuth.secret.reveal() }
    : {}

const meanings: Readonly<Record<string, LoginFailureCode>> = {
  bad_verification_code: 'code_rejected',
  bad_refresh_token: 'code_rejected',
  incorrect_client_credentials: 'client_rejected',
  // With status 404, where no client has this id.
  'Not Found': 'client_rejected',
  unverified_user_email: 'denied',
}

function refusal({ error, error_description: described }: Readonly<Record<string, unknown>>): LoginFailure {
  const word = typeof error === 'string' ? error : ''
  const description = typeof described === 'string' ? printable(described) : ''
  const code = Object.hasOwn(meanings, word) ? meanings[word]! : 'provider_error'
  const hint = code === 'client_rejected' ? '; check clientId and clientSecret' : ''
  const detail = `token endpoint: ${printable(word) || 'an error without a name'}${description && `: ${description}`}${hint}`
  const reason = code === 'client_rejected' ? 'invalid_client' : code === 'code_rejected' ? 'invalid_grant' : 'other'
  const isForPeople = code !== 'client_rejected' && description !== ''
  return new LoginFailure(code, reason, detail, isForPeople ? { description } : {})
}

function grantedIn(body: Readonly<Record<string, unknown>>, now: number): Granted {
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken, scope } = body
  if (typeof accessToken !== 'string' || accessToken === '') throw unusable('no access_token')
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw unusable('token_type is not bearer')
  const life = secondsOf(body.expires_in)
  const hasRefresh = typeof refreshToken === 'string' && refreshToken !== ''
  const refreshLife = hasRefresh ? refreshLifeOf(body.refresh_token_expires_in) : undefined
  const text = typeof scope === 'string' ? scope.replaceAll(',', ' ') : ''
  return {
    tokens: {
      accessToken,
      ...(life !== undefined && { accessExpiresAt: now + life * 1000 }),
      ...(hasRefresh && { refreshToken }),
      ...(refreshLife !== undefined && { providerEndsAt: now + refreshLife }),
    },
    scopes: scopesOf(text),
  }
}

/** A number, or its digits in quotes; undefined for a token without an end. */
function secondsOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, longestExpiresIn) : undefined
}

const unusable = (detail: string): LoginFailure =>
  new LoginFailure('invalid_response', 'response', `token endpoint: ${detail}`)
