/** Which trailer fields of an upstream's answer reach the client, and whether there is a client to take them. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/**
 * What is only known once the body is out: timings (Server Timing 2) and digests (RFC 9530 2, 3; `Digest` is the name
 * before it, RFC 3230). A list, since many readers merge trailers into the headers: identity, cookies, caching, framing
 * and authorization must never come in by there (RFC 9110 6.5.1). The status of a gRPC call is not on it: that travels
 * over HTTP/2, which ends here.
 */
const passed: ReadonlySet<string> = new Set(['server-timing', 'content-digest', 'repr-digest', 'digest'])

/** The client said that it reads trailers and passes them on (`TE: trailers`, RFC 9110 10.1.4). */
export const takesTrailers = ({ headers, httpVersionMinor }: IncomingMessage): boolean =>
  headers.te !== undefined && httpVersionMinor > 0 && /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(String(headers.te))

/** The `Trailer` header that goes with them (RFC 9110 6.6.2); undefined where the upstream announces none that pass. */
export function announcedTrailers({ trailer }: IncomingHttpHeaders): string | undefined {
  const names = String(trailer ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => passed.has(name))
  return names.length === 0 ? undefined : [...new Set(names)].join(', ')
}

/**
 * The fields that pass, as pairs for `addTrailers`. A value that is not printable ASCII stays behind: the body is out,
 * and a trailer is not worth cutting it off.
 *
 * @param trailers as undici parses them: lower-case names, repeated ones as lists
 */
export function responseTrailers(trailers: IncomingHttpHeaders): [string, string][] {
  const kept: [string, string][] = []
  for (const name in trailers) {
    if (!passed.has(name)) continue
    for (const value of [trailers[name] ?? []].flat()) if (/^[\t\x20-\x7e]*$/.test(value)) kept.push([name, value])
  }
  return kept
}
