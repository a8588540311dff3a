import { ambiguityOf, decodeLeniently, hasEncodedSlash } from './target.ts'

const absolute = /^(https?):\/\/([^/?#]*)([/?#].*)?$/i

export interface ReturnToRules {
  /** Origins a person may be sent back to, as `URL.origin` spells them; the first is the default. */
  readonly origins: readonly string[]
  /** Where our own pages live (`/_doorward`): never a target, or a link could sign people out. */
  readonly basePath: string
}

/**
 * The address to return to after login or logout, re-serialised; undefined where it must not be used.
 *
 * Refuses everything that two URL parsers could read differently (oauth2-proxy
 * CVE-2020-5233, CVE-2020-11053 and CVE-2020-4037 are what happens otherwise). The value is what the query
 * held after exactly one decoding.
 */
export function safeReturnTo(value: string, { origins, basePath }: ReturnToRules): URL | undefined {
  if (!/^[\x21-\x7e]+$/.test(value) || value.includes('\\')) return undefined
  const match = absolute.exec(value)
  const origin = match === null ? origins[0] : originWritten(match[1]!, match[2]!, origins)
  const rest = match === null ? value : (match[3] ?? '/')
  if (origin === undefined) return undefined
  const reference = rest.startsWith('/') ? rest : `/${rest}`
  if (match === null && !value.startsWith('/')) return undefined
  const path = reference.split(/[?#]/, 1)[0]!
  if (!isPlainReturnPath(path) || isUnder(path, basePath)) return undefined
  return new URL(origin + reference)
}

/** The allowed origin that scheme and authority spell to the letter. No parser's opinion is asked. */
function originWritten(scheme: string, authority: string, origins: readonly string[]): string | undefined {
  const written = `${scheme}://${authority}`.toLowerCase()
  const port = scheme.toLowerCase() === 'https' ? ':443' : ':80'
  return origins.find((origin) => written === origin || (written === origin + port && !/:\d+$/.test(origin)))
}

function isPlainReturnPath(path: string): boolean {
  // Matrix parameters are refused by the router later; as a place to return to they are no danger by themselves.
  if (ambiguityOf(path.replaceAll(/;(?=[\w=.,-]*(?:\/|$))/g, ',')) !== undefined || hasEncodedSlash(path)) return false
  let layer = path
  for (let round = 0; round <= 3; round++) {
    // A parser that drops white space reads `/ /evil.example` as `//evil.example`.
    if (layer.replaceAll(/\s/g, '').includes('//')) return false
    layer = decodeLeniently(layer)
  }
  return true
}

function isUnder(path: string, basePath: string): boolean {
  const decoded = decodeLeniently(path).toLowerCase()
  const base = basePath.toLowerCase()
  return decoded === base || decoded.startsWith(`${base}/`)
}

/** Joins a base address and a path with exactly one slash between them. */
export function joinPath(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
}

const loopback = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Plain http is acceptable on loopback alone: nobody else is on that wire. */
export const isLoopback = (url: URL): boolean => loopback.test(url.hostname)
