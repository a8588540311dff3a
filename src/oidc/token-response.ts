/** Reads what a token endpoint says beyond what openid-client checks. */
import { isJsonObject } from '../core/strict-json.ts'

/** Life of an access token whose answer does not say, in seconds: short, so that claims are renewed soon. */
export const defaultExpiresIn = 300
/** The longest life we believe, in seconds. A session's own lifetime is enforced elsewhere. */
export const longestExpiresIn = 30 * 24 * 60 * 60

/**
 * Seconds an access token lives (RFC 6749 5.1): a positive finite number, at most 30 days; anything else
 * (missing, 0, negative, text, 1e999) counts as missing: then its own `exp`, else five minutes.
 */
export function expiresInOf(value: unknown, exp: unknown, nowSeconds: number): number {
  if (isPositive(value)) return Math.min(value, longestExpiresIn)
  if (isPositive(exp) && exp > nowSeconds) return Math.min(exp - nowSeconds, longestExpiresIn)
  return defaultExpiresIn
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
