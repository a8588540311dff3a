/** Reads what a token endpoint says beyond what openid-client checks. */
import { isNumericDate } from '../core/numeric-date.ts'
import { isJsonObject } from '../core/strict-json.ts'

/** Life of an access token whose answer does not say, in seconds: short, so that claims are renewed soon. */
export const defaultExpiresIn = 300
/** The longest life we believe, in seconds. A session's own lifetime is enforced elsewhere. */
export const longestExpiresIn = 30 * 24 * 60 * 60

/** Seconds by which the provider's clock and ours may differ. */
const clockTolerance = 30

/**
 * Seconds an access token lives (RFC 6749 5.1): a positive finite number, at most 30 days; anything else
 * (missing, 0, negative, text, 1e999) counts as missing: then its own `exp`, else five minutes. Both said: the sooner,
 * since who checks the token goes by `exp`, whole seconds that began before the answer came.
 */
export function expiresInOf(value: unknown, exp: unknown, nowSeconds: number): number {
  return saidExpiresIn(value, exp, nowSeconds) ?? defaultExpiresIn
}

/** The same, and undefined where nothing usable was said. An `exp` in milliseconds says nothing. */
function saidExpiresIn(value: unknown, exp: unknown, nowSeconds: number): number | undefined {
  const left = isNumericDate(exp) && exp > nowSeconds ? exp - nowSeconds : undefined
  if (!isPositive(value)) return left === undefined ? undefined : Math.min(left, longestExpiresIn)
  // Further apart, it is the clocks that differ.
  const isSooner = left !== undefined && left < value && value - left <= clockTolerance
  return Math.min(isSooner ? left : value, longestExpiresIn)
}

/** A longer life of a refresh token, in seconds, is none that anything can be planned by: ten years. */
const longestRefreshExpiresIn = 10 * 365 * 24 * 60 * 60

/**
 * Milliseconds a refresh token lives, from Keycloak's `refresh_expires_in` or GitHub's `refresh_token_expires_in`.
 * Undefined for 0, which is Keycloak's word for an offline token without an end, and for what says nothing: missing,
 * negative, text, not finite, more than ten years. No harm in that: the provider itself knows when its token has run out.
 */
export const refreshLifeOf = (value: unknown): number | undefined =>
  isPositive(value) && value <= longestRefreshExpiresIn ? value * 1000 : undefined

/** How an answer of a token endpoint tells when the provider's word runs out. */
export interface Ends {
  readonly refreshToken: string | undefined
  /** `refresh_expires_in` */
  readonly refreshExpiresIn: unknown
  /** `expires_in` */
  readonly expiresIn: unknown
  /** `exp` of the access token, and of the ID token: the first that is one. */
  readonly exp: readonly unknown[]
}

/**
 * `Tokens.providerEndsAt` of a login's answer: the end of the refresh token; without one nobody will confirm the session
 * later than the end of what came. Undefined where the answer does not say.
 *
 * @param now milliseconds since the epoch
 */
export function providerEndOf(
  { refreshToken, refreshExpiresIn, expiresIn, exp }: Ends,
  now: number,
): number | undefined {
  if (refreshToken !== undefined) {
    const life = refreshLifeOf(refreshExpiresIn)
    return life === undefined ? undefined : now + life
  }
  const seconds = saidExpiresIn(expiresIn, exp.find(isNumericDate), now / 1000)
  return seconds === undefined ? undefined : now + Math.round(seconds * 1000)
}

const isPositive = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0

/** Leaves out an `expires_in` that means nothing, so that a login does not fail over it. */
export async function withUsableExpiry(response: Response): Promise<Response> {
  if (response.status !== 200) return response
  const text = await response.text()
  return new Response(withoutUselessExpiry(text), { status: response.status, headers: response.headers })
}

function withoutUselessExpiry(text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    if (!isJsonObject(body) || body.expires_in === undefined || isPositive(body.expires_in)) return text
    const { expires_in: _, ...rest } = body
    return JSON.stringify(rest)
  } catch {
    // Not JSON: openid-client says so.
    return text
  }
}
