import type { IncomingHttpHeaders } from 'node:http'
import { nominatedBy } from './request-headers.ts'

export interface ResponseHeaderRules {
  /** True for the name of any cookie of this gateway. Called with the name as the upstream wrote it. */
  isOwnCookie(name: string): boolean
  /** Cookies of ours for the browser; they bring `Cache-Control: no-store` with them. */
  readonly setCookies: readonly string[]
  /** Undoes the prefix and host rewriting in Location; undefined: addresses pass as they are. */
  readonly publicAddress: ((address: string) => string) | undefined
  /**
   * CORS headers that are ours to set, by lower-case name: the upstream's go. Those with an empty value go without a
   * successor; `vary` is added to what the upstream varies by. Undefined: the upstream's stay.
   */
  readonly cors?: Readonly<Record<string, string>> | undefined
}

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * An upstream's headers for the client as a flat array. Removed: hop-by-hop and nominated ones (RFC 9110 7.6.1),
 * Set-Cookie of our own names, by which an upstream could plant a session, and what `cors` replaces. Nothing else.
 *
 * @param headers as undici parses them: lower-case names, latin1 values, repeated ones as lists
 */
export function responseHeaders(status: number, headers: IncomingHttpHeaders, rules: ResponseHeaderRules): string[] {
  const kept: string[] = []
  const renewing = rules.setCookies.length > 0
  const nominated = nominatedBy(textOf(headers.connection))
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || hopByHop.has(name)) continue
    if (nominated?.has(name) && name !== 'content-length') continue
    // RFC 9110 8.6: a 204 has no length to speak of.
    if (status === 204 && name === 'content-length') continue
    if (renewing && name === 'cache-control') continue
    if (rules.cors !== undefined && Object.hasOwn(rules.cors, name)) continue
    if (name === 'set-cookie') pushCookies(kept, value, rules)
    else if (typeof value !== 'string') for (const each of value) kept.push(name, each)
    else if (rules.publicAddress !== undefined && isAddress(name)) kept.push(name, rules.publicAddress(value))
    else kept.push(name, value)
  }
  if (renewing) pushOurCookies(kept, rules.setCookies)
  if (rules.cors !== undefined) pushCors(kept, rules.cors, textOf(headers.vary))
  return kept
}

const isAddress = (name: string): boolean => name === 'location' || name === 'content-location'

const textOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'object' ? value.join(',') : value

function pushCookies(kept: string[], value: string | string[], rules: ResponseHeaderRules): void {
  for (const cookie of typeof value === 'string' ? [value] : value) {
    if (!rules.isOwnCookie(cookieName(cookie))) kept.push('set-cookie', cookie)
  }
}

function pushOurCookies(kept: string[], setCookies: readonly string[]): void {
  for (const cookie of setCookies) kept.push('set-cookie', cookie)
  kept.push('cache-control', 'no-store')
}

/** @param vary what the answer varies by so far */
export function pushCors(kept: string[], cors: Readonly<Record<string, string>>, vary: string | undefined): void {
  for (const [name, value] of Object.entries(cors)) {
    if (name === 'vary') kept.push(name, vary === undefined || vary === '' ? value : `${vary}, ${value}`)
    else if (value !== '') kept.push(name, value)
  }
}

/**
 * The name under which the browser will send a cookie back. A nameless cookie (`Set-Cookie: =dw-1=x`) comes back
 * as `dw-1=x` (RFC 6265bis 5.7), so leading equal signs do not count.
 */
function cookieName(cookie: string): string {
  return /^[\s=]*([^=;]*)/.exec(cookie)![1]!.trim()
}

/** What an answer's head holds that cannot be passed on; undefined for everyday ones. */
export function problemOf(status: number, headers: IncomingHttpHeaders): string | undefined {
  if (status < 200 || status > 599) return `status ${status}`
  const coding = headers['transfer-encoding']
  // We never offer another coding (RFC 9112 7.4), and cannot say that the bytes are in one.
  return coding === undefined || coding === 'chunked' ? undefined : `transfer coding ${coding}`
}
