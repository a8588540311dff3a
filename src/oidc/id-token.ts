/** The checks of an ID token that openid-client leaves to us (OpenID Connect Core 3.1.3.7). */
import { createHash } from 'node:crypto'
import { isNumericDate, wordsForNoDate } from '../core/numeric-date.ts'
import { readJwt, type UnverifiedJwt } from '../issuer/jwt.ts'
import { LoginFailure } from './failure.ts'

/** Seconds a clock may be ahead of or behind ours. */
export const clockTolerance = 30

const hashes: Record<string, string> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' }

/**
 * Checks an ID token whose signature, issuer, expiry and nonce were verified, and returns its claims.
 * @throws LoginFailure `invalid_response`
 */
export function checkIdToken(
  idToken: string,
  expected: { clientId: string; accessToken: string; now: number },
): Readonly<Record<string, unknown>> {
  const jwt = readJwt(idToken)
  if (jwt === undefined) throw invalid('id_token', 'is not one JWT to every reader: repeated member or stray bits')
  const { payload } = jwt
  checkAudience(payload, expected.clientId)
  checkTimes(payload, expected.now)
  checkAccessTokenHash(jwt, expected.accessToken)
  return payload
}

/** Others' audiences are not trusted with our logins: the token is for us alone. */
function checkAudience(payload: UnverifiedJwt['payload'], clientId: string): void {
  const audience = Array.isArray(payload.aud) ? payload.aud : [payload.aud]
  if (audience.length !== 1 || audience[0] !== clientId) throw invalid('aud', `is not ${clientId} alone`)
  if (payload.azp !== undefined && payload.azp !== clientId) throw invalid('azp', 'is another client')
}

function checkTimes({ iat, exp }: UnverifiedJwt['payload'], now: number): void {
  if (!isNumericDate(exp)) throw invalid('exp', wordsForNoDate(exp))
  if (!isNumericDate(iat)) throw invalid('iat', wordsForNoDate(iat))
  const ahead = iat - now / 1000
  if (ahead > clockTolerance) {
    const detail = `ID token issued ${Math.round(ahead)} s in the future: the clocks of provider and gateway differ`
    throw new LoginFailure('invalid_response', 'clock_skew', detail)
  }
}

/** OpenID Connect Core 3.1.3.6: binds the access token to the ID token, where the provider says so. */
function checkAccessTokenHash({ header, payload }: UnverifiedJwt, accessToken: string): void {
  if (payload.at_hash === undefined) return
  const alg = String(header.alg)
  // EdDSA signs with SHA-512 inside (RFC 8032).
  const hash = alg.startsWith('Ed') ? 'sha512' : hashes[alg.slice(-3)]
  if (hash === undefined) throw invalid('at_hash', 'has no known hash')
  const digest = createHash(hash).update(accessToken).digest()
  const half = digest.subarray(0, digest.length / 2).toString('base64url')
  if (payload.at_hash !== half) throw invalid('at_hash', 'does not belong to the access token')
}

const invalid = (claim: string, problem: string): LoginFailure =>
  new LoginFailure('invalid_response', 'id_token_claim', `ID token: ${claim} ${problem}`)
