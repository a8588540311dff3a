import type { Identity } from './identity.ts'
import { isJsonObject } from './strict-json.ts'

/** Claims somebody has verified already; every value is still foreign data. */
export type Claims = Readonly<Record<string, unknown>>

/** Where claims may come from, all of one person. The first that has a claim wins it. */
export interface ClaimSources {
  readonly idToken?: Claims | undefined
  readonly userinfo?: Claims | undefined
  /** Its signature, `sub` and client were checked; an opaque one gives none. */
  readonly accessToken?: Claims | undefined
}

export interface ClaimRules {
  /** Becomes `Identity.provider`. */
  readonly provider: string
  readonly issuer: string
  readonly groupsClaim: string
  readonly groupPaths: 'keep' | 'ignore'
  /** Exact names or `/prefix/*`; empty: all. */
  readonly groupsKept: readonly string[]
  /** Top-level claim names, or dotted paths (`address.country`) where no claim has that very name. */
  readonly claimsKept: readonly string[]
  readonly trustUnverifiedEmail: boolean
}

/** A claim that cannot be used. Names the claim and never its value, which is somebody's input. */
export class ClaimError extends Error {
  readonly claim: string

  constructor(claim: string, problem: string) {
    super(`claim ${claim}: ${problem}`)
    this.name = 'ClaimError'
    this.claim = claim
  }
}

/**
 * Makes an Identity of verified claims.
 *
 * @param scopes what the token endpoint granted; undefined: the access token's own `scope`
 * @throws ClaimError where `sub` is unusable, or a value that may become a header holds control characters
 */
export function identityFrom(sources: ClaimSources, rules: ClaimRules, scopes?: readonly string[]): Identity {
  const ordered = [sources.idToken, sources.userinfo, sources.accessToken].filter((source) => source !== undefined)
  const first = (claim: string): unknown => ordered.find((source) => hasClaim(source, claim))?.[claim]
  const text = (claim: string): string | undefined => {
    const value = first(claim)
    return typeof value === 'string' && value !== '' ? headerSafe(value, claim) : undefined
  }
  const subject = subjectOf(ordered)
  const email = emailOf(ordered, rules.trustUnverifiedEmail)
  const [name, acr, authTime] = [text('name'), text('acr'), first('auth_time')]
  return {
    provider: rules.provider,
    issuer: rules.issuer,
    subject,
    username: text('preferred_username') ?? subject,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    groups: groupsOf(first(rules.groupsClaim), rules),
    realmRoles: rolesOf(first('realm_access'), 'realm_access'),
    clientRoles: clientRolesOf(first('resource_access')),
    scopes: scopes ?? scopesOf(first('scope') ?? first('scp')),
    ...(acr !== undefined && { acr }),
    ...(typeof authTime === 'number' && Number.isFinite(authTime) && { authTime }),
    claims: keptClaims(ordered, rules.claimsKept),
  }
}

export const hasClaim = (claims: Claims, name: string): boolean =>
  Object.hasOwn(claims, name) && claims[name] !== undefined && claims[name] !== null

/** A claim by its name, or by a dotted path where no claim has that very name. Own members alone. */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const step of name.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined
    value = value[step]
  }
  return value
}

/** OpenID Connect Core 2: a case-sensitive string of at most 255 characters. All sources must agree. */
function subjectOf(sources: readonly Claims[]): string {
  const subjects = sources.filter((source) => hasClaim(source, 'sub')).map((source) => source.sub)
  const subject = subjects[0]
  if (typeof subject !== 'string') throw new ClaimError('sub', 'has to be a string')
  if (subject === '' || subject.length > 255) throw new ClaimError('sub', 'has to have 1 to 255 characters')
  if (subjects.some((other) => other !== subject)) throw new ClaimError('sub', 'differs between its sources')
  return headerSafe(subject, 'sub')
}

/** An address counts with the word of the source that states it: two sources may speak of two addresses. */
function emailOf(sources: readonly Claims[], trustUnverified: boolean): string | undefined {
  const email = sources.find((source) => hasClaim(source, 'email'))?.email
  if (typeof email !== 'string') return undefined
  const about = sources.find((source) => source.email === email && hasClaim(source, 'email_verified'))
  if (!trustUnverified && about?.email_verified !== true) return undefined
  const match = /^([^@\s]+)@([^@\s]+)$/.exec(headerSafe(email, 'email'))
  return match === null ? undefined : `${match[1]}@${match[2]!.toLowerCase()}`
}

function groupsOf(value: unknown, { groupsClaim, groupPaths, groupsKept }: ClaimRules): readonly string[] {
  const groups = listOf(value)
    .map((group) => headerSafe(group, groupsClaim))
    .map((group) => (groupPaths === 'ignore' ? group.replace(/^\//, '') : group))
    .filter((group) => group !== '' && (groupsKept.length === 0 || isKept(group, groupsKept, groupPaths)))
  return [...new Set(groups)]
}

/** Groups come as a list, as JSON text of a list, or as words with spaces between them. */
function listOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string')
  if (typeof value !== 'string') return []
  if (value.trimStart().startsWith('[')) {
    try {
      const parsed: unknown = JSON.parse(value)
      return Array.isArray(parsed) ? parsed.filter((item) => typeof item === 'string') : []
    } catch {
      return []
    }
  }
  return value.split(' ').filter((word) => word !== '')
}

function isKept(group: string, kept: readonly string[], groupPaths: 'keep' | 'ignore'): boolean {
  return kept.some((pattern) => {
    const wanted = groupPaths === 'ignore' ? pattern.replace(/^\//, '') : pattern
    return wanted.endsWith('/*') ? group.startsWith(wanted.slice(0, -1)) : group === wanted
  })
}

function rolesOf(access: unknown, claim: string): readonly string[] {
  const roles = isJsonObject(access) ? access.roles : undefined
  if (!Array.isArray(roles)) return []
  return roles.filter((role) => typeof role === 'string').map((role) => headerSafe(role, claim))
}

function clientRolesOf(access: unknown): Readonly<Record<string, readonly string[]>> {
  if (!isJsonObject(access)) return {}
  const byClient = Object.entries(access).map(
    ([client, roles]) => [headerSafe(client, 'resource_access'), rolesOf(roles, 'resource_access')] as const,
  )
  return Object.fromEntries(byClient.filter(([, roles]) => roles.length > 0))
}

/** RFC 6749 3.3: words with spaces between them; some providers send a list. */
export function scopesOf(value: unknown): readonly string[] {
  return [...new Set(listOf(value).map((scope) => headerSafe(scope, 'scope')))]
}

function keptClaims(sources: readonly Claims[], names: readonly string[]): Readonly<Record<string, unknown>> {
  const kept: [string, unknown][] = []
  for (const name of names) {
    const value = sources.map((source) => claimAt(source, name)).find((found) => found !== undefined && found !== null)
    if (value === undefined) continue
    for (const text of textsIn(value)) headerSafe(text, name)
    kept.push([name, value])
  }
  return Object.fromEntries(kept)
}

/** Every text of a value: a list of texts may become one header. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}

/**
 * Refuses what could end one header line and start another (`alice\r\nX-Auth-Groups: admins`), and text that has
 * no UTF-8 form. Refused instead of stripped: a name that was repaired may be somebody else's.
 */
function headerSafe(value: string, claim: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(value)) throw new ClaimError(claim, 'holds control characters')
  if (!value.isWellFormed()) throw new ClaimError(claim, 'is not valid Unicode')
  return value
}
