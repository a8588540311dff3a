/** Tells whether a logout token is one: the provider's, for us, and now (OpenID Connect Back-Channel Logout 1.0, 2.6). */

import { asymmetricAlgorithms, isAsymmetric } from '../core/algorithms.ts'
import { isJsonObject } from '../core/strict-json.ts'
import { readJwt, type UnverifiedJwt } from '../issuer/jwt.ts'
import { printable } from './failure.ts'
import { clockTolerance } from './id-token.ts'
import type { Provider } from './provider.ts'

/** What a provider says has ended: one of its sessions, or all of a person. */
export interface LogoutToken {
  readonly issuer: string
  /** The session at the provider; without one, all sessions of `subject` have ended. */
  readonly sid: string | undefined
  readonly subject: string | undefined
  /** Its name: a token is used once. */
  readonly jti: string
  /** From then on it would be refused as old, so its name may be forgotten; milliseconds since the epoch. */
  readonly oldAt: number
}

/** Why a logout token was refused. The message names claims, never the token: it is for the provider's operator. */
export class LogoutTokenError extends Error {
  constructor(detail: string) {
    super(detail)
    this.name = 'LogoutTokenError'
  }
}

/** Seconds since `iat`: a provider sends a token as it makes it, and a copy must not be of use for long. */
const longestAge = 600
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

type Checked = { readonly jwt: UnverifiedJwt; readonly clientId: string; readonly now: number }
type Check = (token: Checked) => string | undefined

/** All that needs no key comes first: nobody makes us verify or fetch anything with a text they made up. */
const checks: readonly Check[] = [
  checkExtensions,
  checkType,
  checkAudience,
  checkEvents,
  checkNonce,
  checkTimes,
  checkName,
  checkSubject,
]

/**
 * Reads a logout token and verifies it as the provider's ID tokens are.
 *
 * @param providers among which its `iss` chooses
 * @throws LogoutTokenError; GatewayError `provider_unreachable` where there are no keys to be had
 */
export async function readLogoutToken(providers: readonly Provider[], token: string): Promise<LogoutToken> {
  const jwt = readJwt(token)
  if (jwt === undefined) throw new LogoutTokenError('logout_token is not a JWT')
  const provider = providerOf(providers, jwt)
  const { config, clock } = provider
  const checked = { jwt, clientId: config.clientId, now: clock.now() / 1000 }
  for (const check of checks) {
    const flaw = check(checked)
    if (flaw !== undefined) throw new LogoutTokenError(flaw)
  }
  await verifySignature(provider, token)
  const { sid, sub, jti, iat } = jwt.payload
  return {
    issuer: config.issuer,
    sid: textOrNone(sid),
    subject: textOrNone(sub),
    jti: String(jti),
    oldAt: (Number(iat) + longestAge + clockTolerance) * 1000,
  }
}

/** Two clients at one issuer are two providers here; then the audience tells them apart. */
function providerOf(providers: readonly Provider[], { payload: { iss, aud } }: UnverifiedJwt): Provider {
  const sameIssuer = providers.filter(({ config }) => config.issuer === iss)
  const found = sameIssuer.find(({ config }) => isFor(aud, config.clientId)) ?? sameIssuer[0]
  if (found !== undefined) return found
  const expected = providers.map(({ config }) => config.issuer).join(' or ') || 'none'
  throw new LogoutTokenError(`invalid issuer: expected ${expected}, got ${seen(iss)}`)
}

async function verifySignature(provider: Provider, token: string): Promise<void> {
  const { idTokenAlgorithms } = await provider.metadata()
  const algorithms = (idTokenAlgorithms ?? asymmetricAlgorithms).filter(isAsymmetric)
  const signature = await provider.keySet.verify(token, algorithms)
  if (!signature.valid) throw new LogoutTokenError(signature.detail)
}

/** RFC 7515 4.1.11: an extension we do not know has to be refused; `b64` changes what was signed (RFC 7797). */
function checkExtensions({ jwt: { header } }: Checked): string | undefined {
  const found = ['crit', 'b64', 'zip', 'enc', 'cty'].find((name) => Object.hasOwn(header, name))
  return found && `the header parameter ${found} is not accepted`
}

/** `logout+jwt` since the final text; Keycloak before 26 and others wrote `JWT` or nothing. */
function checkType({ jwt: { header, payload } }: Checked): string | undefined {
  const type = typeof header.typ === 'string' ? header.typ.toLowerCase().replace(/^application\//, '') : header.typ
  if (type !== undefined && type !== 'logout+jwt' && type !== 'jwt') return 'typ is not logout+jwt'
  // Keycloak names the kind in the payload too.
  return payload.typ === undefined || payload.typ === 'Logout' ? undefined : 'this is a token of another kind (typ)'
}

function checkAudience({ jwt: { payload }, clientId }: Checked): string | undefined {
  return isFor(payload.aud, clientId) ? undefined : `invalid audience: expected ${clientId}, got ${seen(payload.aud)}`
}

/** For us alone, as with ID tokens. */
const isFor = (aud: unknown, clientId: string): boolean =>
  Array.isArray(aud) ? aud.length === 1 && aud[0] === clientId : aud === clientId

/** The member that makes it a logout token; its value is an object, as a rule an empty one. */
function checkEvents({ jwt: { payload } }: Checked): string | undefined {
  const { events } = payload
  const isLogout = isJsonObject(events) && Object.hasOwn(events, logoutEvent) && isJsonObject(events[logoutEvent])
  return isLogout ? undefined : 'events does not hold the back-channel logout event'
}

/** Forbidden, so that a logout token is never taken for an ID token, nor one for it. */
function checkNonce({ jwt: { payload } }: Checked): string | undefined {
  return Object.hasOwn(payload, 'nonce') ? 'nonce is not allowed in a logout token' : undefined
}

/** `exp` is required since the errata; older Keycloak leaves it out, so `iat` bounds the life in any case. */
function checkTimes({ jwt: { payload }, now }: Checked): string | undefined {
  const { iat, exp, nbf } = payload
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'iat is missing or no time'
  if (iat - now > clockTolerance) return `iat is ${Math.round(iat - now)} s in the future: the clocks differ`
  if (now - iat >= longestAge + clockTolerance) return `iat is more than ${longestAge} s ago`
  if (exp !== undefined && (typeof exp !== 'number' || !Number.isFinite(exp))) return 'exp is no time'
  if (exp !== undefined && exp + clockTolerance <= now) return 'the logout token has expired'
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf - now <= clockTolerance)) return 'nbf is not yet'
  return undefined
}

function checkName({ jwt: { payload } }: Checked): string | undefined {
  return isShortText(payload.jti) ? undefined : 'jti is missing or no text'
}

function checkSubject({ jwt: { payload } }: Checked): string | undefined {
  const { sid, sub } = payload
  if (sid === undefined && sub === undefined) return 'neither sid nor sub says what has ended'
  if (sid !== undefined && !isShortText(sid)) return 'sid is no short text'
  return sub === undefined || isShortText(sub) ? undefined : 'sub is no short text'
}

const isShortText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 255
const textOrNone = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function seen(value: unknown): string {
  const texts = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string')
  return printable(texts.join(', ')) || 'none'
}
