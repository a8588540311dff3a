/** Cookies as Chromium keeps them (RFC 6265bis), as far as a gateway can tell the difference. */

export interface Cookie {
  readonly name: string
  readonly value: string
  /** The host, or the domain it is shared with. */
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: 'strict' | 'lax' | 'none'
  /** Milliseconds since the epoch; undefined: until the browser closes. */
  readonly expires: number | undefined
}

/** How a request came about: decides which cookies go along. */
export interface CookieContext {
  /** The page that caused it belongs to another site. */
  readonly crossSite: boolean
  /** A navigation of the tab with a safe method: what `Lax` lets through. */
  readonly laxNavigation: boolean
}

const sameSite: CookieContext = { crossSite: false, laxNavigation: true }

export interface CookieJar {
  /** Takes a Set-Cookie value in, or refuses it and says why. */
  set(url: URL, header: string, context?: CookieContext): string | undefined
  /** The Cookie header, undefined where nothing fits. */
  header(url: URL, context?: CookieContext): string | undefined
  all(): readonly Cookie[]
  get(name: string): Cookie | undefined
  delete(name: string): void
  clear(): void
}

export const isLoopbackHost = (host: string): boolean => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(host)

/** Chromium treats loopback as secure although it is http. */
const isTrustworthy = (url: URL): boolean => url.protocol === 'https:' || isLoopbackHost(url.hostname)
const isAddress = (host: string): boolean => /^[\d.]+$|^\[/.test(host)

export function createCookieJar(now: () => number = Date.now): CookieJar {
  let cookies: Cookie[] = []
  const same = (one: Cookie, other: Cookie) =>
    one.name === other.name && one.domain === other.domain && one.path === other.path
  const sweep = () => {
    cookies = cookies.filter(({ expires }) => expires === undefined || expires > now())
    return cookies
  }
  return {
    set(url, header, context = sameSite) {
      const cookie = readSetCookie(url, header, now())
      if (typeof cookie === 'string') return cookie
      if (context.crossSite && cookie.sameSite !== 'none' && !context.laxNavigation) return 'cross-site'
      const old = cookies.find((other) => same(cookie, other))
      cookies = cookies.filter((other) => other !== old)
      cookies.push(cookie)
      sweep()
      return undefined
    },
    header(url, context = sameSite) {
      const fitting = sweep().filter((cookie) => fits(cookie, url, context))
      fitting.sort((a, b) => b.path.length - a.path.length)
      return fitting.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined
    },
    all: () => sweep(),
    get: (name) => sweep().find((cookie) => cookie.name === name),
    delete(name) {
      cookies = cookies.filter((cookie) => cookie.name !== name)
    },
    clear() {
      cookies = []
    },
  }
}

function fits(cookie: Cookie, url: URL, { crossSite, laxNavigation }: CookieContext): boolean {
  if (cookie.hostOnly ? url.hostname !== cookie.domain : !domainMatches(url.hostname, cookie.domain)) return false
  if (!pathMatches(url.pathname, cookie.path)) return false
  if (cookie.secure && !isTrustworthy(url)) return false
  if (!crossSite || cookie.sameSite === 'none') return true
  return cookie.sameSite === 'lax' && laxNavigation
}

const domainMatches = (host: string, domain: string): boolean =>
  host === domain || (!isAddress(host) && host.endsWith(`.${domain}`))

const pathMatches = (path: string, prefix: string): boolean =>
  path === prefix || (path.startsWith(prefix) && (prefix.endsWith('/') || path[prefix.length] === '/'))

/** The cookie, or the reason why a browser would not take it. */
export function readSetCookie(url: URL, header: string, now: number): Cookie | string {
  const [pair = '', ...rest] = header.split(';')
  const equals = pair.indexOf('=')
  const name = (equals === -1 ? '' : pair.slice(0, equals)).trim()
  const value = pair.slice(equals + 1).trim()
  const attributes = new Map(rest.map((text) => [before(text).toLowerCase(), after(text)]))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(header)) return 'a control character'
  if (name.length + value.length > 4096) return 'longer than 4096 bytes'
  const domain = (attributes.get('domain') ?? '').replace(/^\./, '').toLowerCase()
  if (domain !== '' && domain !== url.hostname && !domainMatches(url.hostname, domain)) return 'a foreign domain'
  const cookie: Cookie = {
    name,
    value,
    domain: domain || url.hostname,
    hostOnly: domain === '',
    path: attributes.get('path')?.startsWith('/') ? attributes.get('path')! : defaultPath(url.pathname),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: readSameSite(attributes.get('samesite')),
    expires: readExpiry(attributes, now),
  }
  return refusal(cookie, url, attributes) ?? cookie
}

function refusal(cookie: Cookie, url: URL, attributes: ReadonlyMap<string, string>): string | undefined {
  const name = cookie.name.toLowerCase()
  if (cookie.secure && !isTrustworthy(url)) return 'Secure over plain http'
  if (cookie.sameSite === 'none' && !cookie.secure) return 'SameSite=None without Secure'
  if (/^__(secure|host|http)-/.test(name) && !cookie.secure) return 'a prefix without Secure'
  if (/^__(host-)?http-/.test(name) && !cookie.httpOnly) return 'a prefix without HttpOnly'
  if (name.startsWith('__host-') && (!cookie.hostOnly || attributes.get('path') !== '/'))
    return '__Host- not for one host'
  return undefined
}

function readExpiry(attributes: ReadonlyMap<string, string>, now: number): number | undefined {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return now + Math.min(Number(maxAge), 400 * 86_400) * 1000
  const expires = Date.parse(attributes.get('expires') ?? '')
  return Number.isNaN(expires) ? undefined : expires
}

const readSameSite = (text = 'lax'): Cookie['sameSite'] => {
  const value = text.toLowerCase()
  return value === 'strict' || value === 'none' ? value : 'lax'
}
const before = (text: string): string => text.split('=', 1)[0]!.trim()
const after = (text: string): string => (text.includes('=') ? text.slice(text.indexOf('=') + 1).trim() : '')
const defaultPath = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
