import { type CookieNameParts, type CookieNames, cookieNames, siteHash } from './cookie-name.ts'

export type SameSite = 'lax' | 'strict' | 'none'

/** How the cookies of one site are named and written. Attributes are spelled here and nowhere else. */
export interface CookieSpec {
  /** `URL.origin` of the site; with a cookie domain, of the first one. */
  readonly origin: string
  readonly names: CookieNames
  readonly secure: boolean
  readonly domain: string | undefined
  readonly sameSite: SameSite
  /** What sealed texts of this site are bound to, so that no other site, client or gateway opens them. */
  readonly binding: string
}

export function createCookieSpec(parts: CookieNameParts & { readonly sameSite: SameSite }): CookieSpec {
  const { origin, secure, domain, sameSite } = parts
  const names = cookieNames(parts)
  return { origin, names, secure, domain, sameSite, binding: `${names.session} ${siteHash(parts)}` }
}

/** A complete Set-Cookie value. @param maxAge seconds */
export function writeCookie(spec: CookieSpec, name: string, value: string, maxAge: number): string {
  const domain = spec.domain === undefined ? '' : `; Domain=${spec.domain}`
  const secure = spec.secure ? '; Secure' : ''
  return `${name}=${value}; Path=/${domain}; Max-Age=${maxAge}; HttpOnly${secure}; SameSite=${sameSiteNames[spec.sameSite]}`
}

/** Removes a cookie: browsers match name, domain and path, so these must be the ones it was set with. */
export const expireCookie = (spec: CookieSpec, name: string): string => writeCookie(spec, name, '', 0)

/**
 * The same site for cookies that must come along when the provider sends the browser back. That is a cross-site
 * navigation: with `strict` a browser would leave them at home, and no login would ever complete.
 */
export function crossSiteSpec(spec: CookieSpec): CookieSpec {
  return spec.sameSite === 'strict' ? { ...spec, sameSite: 'lax' } : spec
}

const sameSiteNames = { lax: 'Lax', strict: 'Strict', none: 'None' } as const
