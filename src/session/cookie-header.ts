/**
 * Finds our own cookies in a raw Cookie header without parsing the rest of it. `;` and `,` both separate here:
 * Envoy joins two Cookie headers by a comma, and our values contain neither.
 */

/** Two cookies of one name: which one is meant cannot be known, so neither is. */
export const duplicated = Symbol('two cookies of one name')

const space = 0x20
const comma = 0x2c
const semicolon = 0x3b
const equals = 0x3d

/** The value of the cookie with exactly this name. */
export function readCookie(header: string, name: string): string | undefined | typeof duplicated {
  const at = findCookie(header, name, 0)
  if (at === -1) return undefined
  const start = at + name.length + 1
  const end = Math.min(indexOrEnd(header, ';', start), indexOrEnd(header, ',', start))
  if (findCookie(header, name, end) !== -1) return duplicated
  return header.slice(start, end).trimEnd()
}

/**
 * Cookies whose name starts with this prefix, in the order of the header, at most `limit` of them. Names that come
 * twice are given twice.
 */
export function cookiesWithPrefix(header: string, prefix: string, limit: number): readonly NamedCookie[] {
  const found: NamedCookie[] = []
  let from = 0
  while (found.length < limit) {
    const at = header.indexOf(prefix, from)
    if (at === -1) break
    from = at + prefix.length
    if (!startsPair(header, at)) continue
    const end = pairEnd(header, from)
    from = end
    const cut = header.indexOf('=', at)
    if (cut !== -1 && cut < end)
      found.push({ name: header.slice(at, cut), value: header.slice(cut + 1, end).trimEnd() })
  }
  return found
}

export interface NamedCookie {
  readonly name: string
  readonly value: string
}

/**
 * The header as an upstream may see it: without the cookies that stay behind, every other byte untouched. Undefined
 * where nothing is left, so that no empty header is sent.
 */
export function withoutCookies(header: string, isDropped: (name: string, pair: string) => boolean): string | undefined {
  let kept = ''
  let from = 0
  let keptFrom = 0
  let nextSemicolon = -1
  let nextComma = -1
  while (from < header.length) {
    // Each separator is looked for once, so that the whole costs one pass at memory speed.
    if (nextSemicolon < from) nextSemicolon = indexOrEnd(header, ';', from)
    if (nextComma < from) nextComma = indexOrEnd(header, ',', from)
    const end = Math.min(nextSemicolon, nextComma)
    if (isDropped(nameOf(header, from, end), header.slice(from, end))) {
      kept += header.slice(keptFrom, from)
      keptFrom = end + 1
    }
    from = end + 1
  }
  if (keptFrom === 0) return header
  const rest = trimSeparators(kept + header.slice(keptFrom))
  return rest === '' ? undefined : rest
}

function trimSeparators(text: string): string {
  let from = 0
  let end = text.length
  while (from < end && isSeparator(text.charCodeAt(from))) from++
  while (end > from && isSeparator(text.charCodeAt(end - 1))) end--
  return text.slice(from, end)
}

const isSeparator = (code: number): boolean => code <= space || code === semicolon || code === comma

function findCookie(header: string, name: string, from: number): number {
  let at = header.indexOf(name, from)
  while (at !== -1) {
    if (header.charCodeAt(at + name.length) === equals && startsPair(header, at)) return at
    at = header.indexOf(name, at + name.length)
  }
  return -1
}

/** Whether a pair starts at this position: nothing but white space between it and the separator before. */
function startsPair(header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && header.charCodeAt(before) <= space) before--
  if (before < 0) return true
  const code = header.charCodeAt(before)
  return code === semicolon || code === comma
}

/** Position of the separator after `from`, or the end of the header. */
function pairEnd(header: string, from: number): number {
  for (let at = from; at < header.length; at++) {
    const code = header.charCodeAt(at)
    if (code === semicolon || code === comma) return at
  }
  return header.length
}

function indexOrEnd(header: string, separator: string, from: number): number {
  const at = header.indexOf(separator, from)
  return at === -1 ? header.length : at
}

/** A pair without an equals sign counts as a name here: whatever looks like one is kept from the upstream. */
function nameOf(header: string, from: number, end: number): string {
  const cut = header.indexOf('=', from)
  return header.slice(from, cut === -1 || cut > end ? end : cut).trim()
}
