/** The CSRF rule: a browser sends a session's cookie along for any site's page, so the cookie alone is no consent. */

export interface OriginQuestion {
  readonly method: string
  /** Upgrades are not subject to CORS at all: any page can open a websocket with the victim's cookie. */
  readonly isUpgrade: boolean
  readonly origin: string | undefined
  readonly secFetchSite: string | undefined
  /** Origins of publicUrl, as `URL.origin` spells them. */
  readonly allowedOrigins: readonly string[]
  /** `origins:` of the route. */
  readonly routeOrigins?: readonly string[]
}

/**
 * Judges a request that was proved by a cookie. Undefined where it is fine; else one sentence with what to do.
 * `Origin` decides where it came; without it `Sec-Fetch-Site` does; without both nobody can tell, so it is refused.
 */
export function originProblem(question: OriginQuestion): string | undefined {
  const { method, isUpgrade, origin, secFetchSite } = question
  if (!isUpgrade && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')) return undefined
  if (origin !== undefined) return isAllowed(question, origin) ? undefined : foreign(origin)
  if (secFetchSite === 'same-origin' || secFetchSite === 'none') return undefined
  if (secFetchSite !== undefined) {
    return 'Sec-Fetch-Site names another site and there is no Origin header to name a permitted one.'
  }
  return (
    `${isUpgrade ? 'An upgrade' : `A ${method} request`} with a session cookie, or a token that a gateway adds, needs an Origin or Sec-Fetch-Site header, ` +
    'and has neither. Programs that are no browsers should send a bearer token (accept: [bearer]).'
  )
}

/** `null` is what sandboxed frames, redirects and local files all call themselves: nobody's origin. */
const isAllowed = ({ allowedOrigins, routeOrigins }: OriginQuestion, origin: string): boolean =>
  origin !== 'null' && (allowedOrigins.includes(origin) || (routeOrigins?.includes(origin) ?? false))

function foreign(origin: string): string {
  if (origin === 'null') return 'Origin is null, which any sandboxed page can send, so it is never permitted.'
  return `Origin ${printable(origin)} is not one of this site; a route permits others with origins.`
}

const printable = (origin: string): string => (/^[\x21-\x7e]{1,200}$/.test(origin) ? origin : 'is unreadable and')
