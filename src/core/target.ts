import { GatewayError } from './errors.ts'

/**
 * What is being asked for, in the words of the outside world (never of an adapter). Made once per request;
 * `path` is both what the policy matched and what the upstream gets, so the two cannot disagree.
 */
export interface Target extends RequestPath {
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** Lower case, with the port only where it is not the scheme's own. */
  readonly host: string
}

/** The origin-form of a request target (RFC 9112 3.2.1) in its one normal form. */
export interface RequestPath {
  /** Unreserved characters decoded, hex in upper case. This is what is forwarded. */
  readonly path: string
  /** The path as rules read it: decoded once, except `%2F`. */
  readonly decodedPath: string
  /** With its question mark, untouched; empty where there is none. */
  readonly query: string
  /** The path holds an encoded slash: only a route that says `encodedSlashes: keep` may serve it. */
  readonly encodedSlash: boolean
}

export const originOf = (target: Target): string => `${target.scheme}://${target.host}`
export const hrefOf = (target: Target): string => originOf(target) + target.path + target.query

/** Not empty, no dot segment, nothing encoded, no `;`: a path that all readers read alike. */
const plainPath = /^\/(?:(?!\.\.?(?:\/|$))[\w\-.~!$&'()*+,=:@]+\/)*(?:(?!\.\.?$)[\w\-.~!$&'()*+,=:@]+)?$/
const visibleAscii = /^\/[\x21-\x7e]*$/
/** How often a chain of careless upstreams may decode what they were given. */
export const decodingRounds = 3

/**
 * Reads a raw request target (`/path?query`) into its one normal form.
 *
 * Rule and upstream reading one path differently is the class behind most bypass advisories of this field
 * (for example CVE-2026-33494, CVE-2025-66490, CVE-2026-40912), so whatever two readers could take for two
 * paths is refused instead of repaired.
 *
 * @throws GatewayError `ambiguous_path` (400)
 */
export function readPath(raw: string): RequestPath {
  const mark = raw.indexOf('?')
  const path = mark === -1 ? raw : raw.slice(0, mark)
  const query = mark === -1 ? '' : raw.slice(mark)
  if (query !== '') refuseAmbiguousQuery(query)
  if (plainPath.test(path)) return { path, decodedPath: path, query, encodedSlash: false }

  const wrong = ambiguityOf(path)
  if (wrong !== undefined) throw new GatewayError('ambiguous_path', `the path holds ${wrong}`)
  const normal = normalisePath(path)
  return {
    path: normal,
    decodedPath: decodeURIComponent(normal.replaceAll('%2F', '%252F')),
    query,
    encodedSlash: hasEncodedSlash(path),
  }
}

/** Why a path can be read in two ways, in words for a log line; undefined where it cannot. */
export function ambiguityOf(path: string): string | undefined {
  if (!visibleAscii.test(path)) return 'a character that does not belong there, or no leading slash'
  if (path.includes('#')) return 'a fragment'
  if (path.includes('//')) return 'an empty segment'
  if (!isValidEncoding(path)) return 'percent-encoding that is not valid UTF-8'
  let layer = path
  for (let round = 0; round <= decodingRounds; round++) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\x00-\x1f\x7f]/.test(layer)) return 'a control character'
    if (layer.includes('\\')) return 'a backslash'
    if (layer.includes(';')) return 'a semicolon'
    if (hasDotSegment(layer)) return 'a dot segment'
    if (!layer.includes('%')) break
    layer = decodeLeniently(layer)
  }
  return undefined
}

/** True where any layer of percent-encoding hides a slash. */
export function hasEncodedSlash(path: string): boolean {
  let layer = path
  for (let round = 0; round < decodingRounds && layer.includes('%'); round++) {
    if (/%2f/i.test(layer)) return true
    layer = decodeLeniently(layer)
  }
  return false
}

/** RFC 3986 6.2.2: unreserved characters decoded, the rest in upper-case hex. The resource stays the same. */
function normalisePath(path: string): string {
  return path.replace(/%[\da-f]{2}/gi, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
    return /[\w\-.~]/.test(character) ? character : triplet.toUpperCase()
  })
}

/** Decodes what is valid and leaves the rest, as the most forgiving upstream would. */
export function decodeLeniently(text: string): string {
  return text.replace(/%[\da-f]{2}/gi, (triplet) => String.fromCharCode(Number.parseInt(triplet.slice(1), 16)))
}

/** A reader that decodes before it cuts the query off sees the end of a segment at `?` and `#`, too (`/public/..%3fx`). */
const hasDotSegment = (path: string): boolean => /(?:^|\/)\.\.?(?:[/?#]|$)/.test(path)

function isValidEncoding(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** `/public?/../admin` is harmless only where the upstream cuts at the question mark; not all do. */
function refuseAmbiguousQuery(query: string): void {
  if (query.includes('#')) throw new GatewayError('ambiguous_path', 'the query holds a fragment')
  // A slash, a backslash, or a percent sign that may hide one.
  if (!/^\?[/\\%]/.test(query)) return
  let layer = query.slice(1)
  for (let round = 0; round <= decodingRounds; round++) {
    const path = layer.replaceAll('\\', '/')
    if (path.startsWith('/') && hasDotSegment(path))
      throw new GatewayError('ambiguous_path', 'the query starts like a path and holds dots')
    if (!layer.includes('%')) break
    layer = decodeLeniently(layer)
  }
}

const hostname = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/

/**
 * A Host or X-Forwarded-Host value in the form rules are written in: lower case, the scheme's own port left
 * out. Undefined where it is not a host at all. Whether we serve it is another question.
 */
export function normaliseHost(raw: string, scheme: 'http' | 'https'): string | undefined {
  const host = raw.toLowerCase()
  const match = hostname.exec(host)
  if (match === null || host.includes('..')) return undefined
  const port = match[1]
  if (port === undefined) return host
  if (Number(port) > 65_535 || Number(port) === 0 || port.startsWith('0')) return undefined
  return Number(port) === (scheme === 'https' ? 443 : 80) ? host.slice(0, -port.length - 1) : host
}
