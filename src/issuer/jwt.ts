import { isJsonObject, parseStrictJson } from '../core/strict-json.ts'

/** A JWS in compact form (RFC 7515 7.1), read and not yet verified. */
export interface UnverifiedJwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads header and payload: exactly three parts in canonical base64url, UTF-8 without a byte order mark, JSON
 * objects without repeated members. Undefined where any of this is not so, since a lenient reader and a strict
 * one would see two tokens (RFC 8725). How large it may be is the caller's business.
 */
export function readJwt(token: string): UnverifiedJwt | undefined {
  const [first, second, third, ...more] = token.split('.')
  if (first === undefined || second === undefined || third === undefined || more.length > 0) return undefined
  if (!isCanonical(third)) return undefined
  const [header, payload] = [readPart(first), readPart(second)]
  return header === undefined || payload === undefined ? undefined : { header, payload }
}

function readPart(part: string): Readonly<Record<string, unknown>> | undefined {
  if (!isCanonical(part)) return undefined
  try {
    const value = parseStrictJson(utf8.decode(Buffer.from(part, 'base64url')))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Not empty, no padding, no `+` or `/`, no stray bits at the end: one text for one sequence of bytes. */
const isCanonical = (part: string): boolean =>
  part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part
