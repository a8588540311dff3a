import type { Claims } from '../core/claims.ts'
import { GatewayError } from '../core/errors.ts'
import { isJsonObject, parseStrictJson } from '../core/strict-json.ts'
import type { BearerIssuer } from './jwks.ts'

/**
 * What userinfo says of a token's owner (OpenID Connect Core 5.3). `refused` where it takes the token for invalid,
 * or speaks of somebody else; undefined where it says nothing to this client.
 *
 * @throws GatewayError `provider_unreachable`: without groups, `not` rules would let the wrong people in
 */
export async function userinfoFor(
  { transport, userinfoEndpoint }: BearerIssuer,
  token: string,
  subject: unknown,
): Promise<Claims | 'refused' | undefined> {
  const url = await userinfoEndpoint()
  if (url === undefined) return undefined
  const response = await transport.fetch(url, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  })
  if (response.status === 401) return 'refused'
  if (response.status === 403 || response.status === 404) return undefined
  const claims = response.status === 200 ? readClaims(await response.text()) : undefined
  if (claims === undefined) {
    throw new GatewayError('provider_unreachable', `userinfo answered ${response.status} without a JSON object`)
  }
  return claims.sub === subject ? claims : 'refused'
}

function readClaims(text: string): Claims | undefined {
  try {
    const value = parseStrictJson(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
