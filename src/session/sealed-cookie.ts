import type { SealingKeys } from '../keys/sealing.ts'
import { sealedLength } from '../keys/sealing.ts'
import { duplicated, readCookie } from './cookie-header.ts'
import { type CookieSpec, expireCookie, writeCookie } from './cookie-spec.ts'
import type { SetCookies } from './session.ts'

/**
 * A sealed text in one or two cookies. Their number is part of what is authenticated and the cut has one place, so
 * that a missing, additional, stale or exchanged cookie leaves nothing that opens.
 */

/** Characters in the first of two cookies. */
const chunkLength = 2_000

/** What a Cookie header holds under our names. */
export type CookieChunks = readonly [string] | readonly [string, string]

/** Undefined where neither cookie came; `invalid` where the second came alone, or one came twice. */
export function readChunks(spec: CookieSpec, cookieHeader: string): CookieChunks | 'invalid' | undefined {
  const first = readCookie(cookieHeader, spec.names.session)
  const second = readCookie(cookieHeader, spec.names.second)
  if (first === undefined) return second === undefined ? undefined : 'invalid'
  if (first === duplicated || second === duplicated) return 'invalid'
  return second === undefined ? [first] : [first, second]
}

/** One text for both, for looking up what was opened before. No cookie value holds a semicolon. */
export const chunksKey = (chunks: CookieChunks): string =>
  chunks.length === 1 ? chunks[0] : `${chunks[0]};${chunks[1]}`

export function openChunks(keys: SealingKeys, spec: CookieSpec, chunks: CookieChunks) {
  if (chunks.length === 2 && chunks[0].length !== chunkLength) return undefined
  return keys.open('session', contextOf(spec, chunks.length), chunks.join(''))
}

export function sealChunks(keys: SealingKeys, spec: CookieSpec, bytes: Buffer): CookieChunks {
  const count = sealedLength(bytes.length) > chunkLength ? 2 : 1
  const text = keys.seal('session', contextOf(spec, count), bytes)
  return count === 1 ? [text] : [text.slice(0, chunkLength), text.slice(chunkLength)]
}

/** Sets the cookies and removes the second where there is none: the session may have shrunk. */
export function writeChunks(spec: CookieSpec, chunks: CookieChunks, maxAge: number): SetCookies {
  const { session, second } = spec.names
  const rest = chunks[1] === undefined ? expireCookie(spec, second) : writeCookie(spec, second, chunks[1], maxAge)
  return [writeCookie(spec, session, chunks[0], maxAge), rest]
}

const contextOf = (spec: CookieSpec, count: number): string => `${spec.binding} ${count}`
