import { sha256 } from '../core/encoding.ts'

/** The cookies of one gateway at one site. */
export interface CookieNames {
  readonly session: string
  /** The rest of a sealed session that one cookie should not carry. */
  readonly second: string
  /** A login flow adds the first characters of its `state`. */
  readonly loginPrefix: string
  /** Set when a login completes; see sign-in-marker.ts. */
  readonly marker: string
}

export interface CookieNameParts {
  readonly issuer: string
  readonly clientId: string
  /** `URL.origin`: what the browser sees. */
  readonly origin: string
  /** `session.cookieDomain`; undefined: the cookie belongs to this host alone. */
  readonly domain: string | undefined
  readonly secure: boolean
  /** `session.cookieName` */
  readonly override: string | undefined
}

/**
 * Names by prefix (RFC 6265bis 4.1.3 and its `__Http-` addition) and a suffix that tells gateways and clients
 * apart: stable across restarts and replicas, and computable by others, since gateways need static names.
 */
export function cookieNames(parts: CookieNameParts): CookieNames {
  const session = parts.override ?? prefixOf(parts) + siteHash(parts).slice(0, 8)
  return {
    session,
    second: `${session}-2`,
    loginPrefix: `${session}-login-`,
    marker: `${session}-marker`,
  }
}

/** What tells this gateway, client and site from all others: sha256 over issuer, client id, origin (and domain). */
export function siteHash({ issuer, clientId, origin, domain }: CookieNameParts): string {
  const parts = [issuer, clientId, origin, ...(domain === undefined ? [] : [domain])]
  return sha256(parts.join('\n')).toString('hex')
}

function prefixOf({ secure, domain }: CookieNameParts): string {
  if (!secure) return 'dw-'
  // `__Host-` forbids a Domain attribute.
  return domain === undefined ? '__Host-Http-dw-' : '__Secure-dw-'
}

/**
 * Whether a cookie belongs to one of these sites. Case is folded: browsers compare the prefixes so, and a
 * spelling of our name that only we do not read is still nobody else's.
 */
export function createOwnCookieTest(sites: readonly CookieNames[]): (name: string) => boolean {
  const bases = [...new Set(sites.map((names) => names.session.toLowerCase()))]
  const shortest = Math.min(...bases.map((base) => base.length))
  const rests = new Set(['', '-2', '-marker'])
  return (name) => {
    if (name.length < shortest) return false
    const folded = name.toLowerCase()
    const base = bases.find((text) => folded.startsWith(text))
    if (base === undefined) return false
    const rest = folded.slice(base.length)
    return rests.has(rest) || rest.startsWith('-login-')
  }
}
