/** Who a request to a Kubernetes API is, as its authenticators and its impersonation filter find out. */
import type { IncomingMessage } from 'node:http'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'

/** `UserInfo` of authentication.k8s.io/v1. */
export interface KubernetesUser {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** The `--oidc-*` flags of the API server, by the same rules. */
export interface KubernetesOidc {
  readonly issuer: string
  /** `--oidc-client-id`: has to be in `aud`. */
  readonly audience: string
  /** Default `sub`. `email` counts only with `email_verified` not false. */
  readonly usernameClaim?: string
  /** Default: none for `email`, `ISSUER#` for any other claim; `-` for none. */
  readonly usernamePrefix?: string
  readonly groupsClaim?: string
  readonly groupsPrefix?: string
  /** Milliseconds since the epoch; the real time unless given. */
  readonly now?: () => number
}

/** What the API answers instead: code, reason and message of its Status object. */
export class KubernetesRefusal extends Error {
  readonly code: number
  readonly reason: string

  constructor(code: number, reason: string, message: string) {
    super(message)
    this.code = code
    this.reason = reason
  }
}

export const anonymous: KubernetesUser = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

const unauthorized = () => new KubernetesRefusal(401, 'Unauthorized', 'Unauthorized')

export type Authenticator = (token: string) => Promise<KubernetesUser>

/** Keys come from the issuer's discovery document, once. @throws KubernetesRefusal 401 for any token that is not good */
export function createOidcAuthenticator(oidc: KubernetesOidc, onRefused: (why: string) => void): Authenticator {
  const { issuer, audience, now = Date.now } = oidc
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined
  const fetchKeys = async () => {
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`)
    const { jwks_uri } = (await answer.json()) as { jwks_uri: string }
    return createRemoteJWKSet(new URL(jwks_uri), { cooldownDuration: 0 })
  }
  return async (token) => {
    keys ??= fetchKeys()
    try {
      const options = { issuer, audience, algorithms: ['RS256', 'ES256', 'PS256'], currentDate: new Date(now()) }
      const { payload } = await jwtVerify(token, await keys, { ...options, requiredClaims: ['exp'] })
      return userOf(payload, oidc)
    } catch (error) {
      onRefused(error instanceof errors.JOSEError ? `${error.code}: ${error.message}` : String(error))
      throw unauthorized()
    }
  }
}

function userOf(claims: JWTPayload, oidc: KubernetesOidc): KubernetesUser {
  const { usernameClaim = 'sub', groupsClaim, groupsPrefix = '' } = oidc
  const name = claims[usernameClaim]
  if (typeof name !== 'string' || name === '') throw new Error(`the claim ${usernameClaim} is missing`)
  if (usernameClaim === 'email' && claims.email_verified === false) throw new Error('the email is not verified')
  const groups = groupsClaim === undefined ? [] : [claims[groupsClaim] ?? []].flat()
  return {
    username: prefixOf(oidc, usernameClaim) + name,
    groups: [...groups.map((group) => groupsPrefix + String(group)), 'system:authenticated'],
  }
}

function prefixOf({ issuer, usernamePrefix }: KubernetesOidc, usernameClaim: string): string {
  if (usernamePrefix === undefined) return usernameClaim === 'email' ? '' : `${issuer}#`
  return usernamePrefix === '-' ? '' : usernamePrefix
}

/** The bearer token of a request: of its Authorization header, else of its websocket subprotocols. */
export function tokenOf({ headers }: IncomingMessage): string | undefined {
  const [scheme, token] = (headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() === 'bearer' && token !== undefined) return token
  const prefix = 'base64url.bearer.authorization.k8s.io.'
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
  const hidden = protocols.find((protocol) => protocol.startsWith(prefix))
  return hidden && Buffer.from(hidden.slice(prefix.length), 'base64url').toString()
}

/**
 * The user of the `Impersonate-*` headers, or the requester where there are none. Names are compared as Go's server
 * does: without case, dashes and underscores apart.
 * @throws KubernetesRefusal 403 for requesters that may not, 500 for groups without a user
 */
export function impersonatedBy(
  requester: KubernetesUser,
  { rawHeaders }: IncomingMessage,
  mayImpersonate: boolean,
): KubernetesUser {
  const lines: (readonly [name: string, value: string])[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push([rawHeaders[i]!.toLowerCase(), utf8(rawHeaders[i + 1]!)])
  const asked = lines.filter(([name]) => name.startsWith('impersonate-'))
  if (asked.length === 0) return requester
  const all = (name: string) => asked.filter(([own]) => own === name).map(([, value]) => value)
  const [username = ''] = all('impersonate-user')
  if (username === '') {
    throw new KubernetesRefusal(500, 'InternalError', `requested ${JSON.stringify(asked)} without impersonating a user`)
  }
  if (!mayImpersonate) {
    const message = `users "${username}" is forbidden: User "${requester.username}" cannot impersonate resource "users" in API group "" at the cluster scope`
    throw new KubernetesRefusal(403, 'Forbidden', message)
  }
  const [uid] = all('impersonate-uid')
  return {
    username,
    groups: [...all('impersonate-group'), 'system:authenticated'],
    ...(uid !== undefined && { uid }),
    extra: extraOf(asked),
  }
}

const extraPrefix = 'impersonate-extra-'

function extraOf(lines: readonly (readonly [name: string, value: string])[]): Record<string, string[]> {
  const extra: Record<string, string[]> = {}
  for (const [name, value] of lines) {
    if (!name.startsWith(extraPrefix)) continue
    const key = decodeURIComponent(name.slice(extraPrefix.length))
    extra[key] = [...(extra[key] ?? []), value]
  }
  return extra
}

/** Node reads header bytes as latin1; Go takes them as they are. */
const utf8 = (value: string): string => Buffer.from(value, 'latin1').toString('utf8')
