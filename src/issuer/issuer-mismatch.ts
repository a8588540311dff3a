/** Says how two issuers differ, and which line to change: `iss` is compared to the letter, so every letter counts. */

/**
 * For the log: `invalid issuer: expected X, got Y`, the line to write, and what kind of difference it is.
 * @param got foreign data: what a document, a token or a callback named
 */
export function wrongIssuer(expected: string, got: unknown): string {
  const seen = typeof got === 'string' && got !== '' ? printable(got) : 'none'
  const head = `invalid issuer: expected ${expected}, got ${seen}`
  if (seen === 'none') return `${head}; see that this is an OpenID provider`
  const line = `set \`issuer: ${seen}\` if that is what its tokens say, else correct the provider's host name`
  return `${head}; ${line}${differenceOf(expected, seen)}`
}

/** What kind of difference it is, to go on a sentence with; empty where there is no more to say. */
export function differenceOf(expected: string, got: string): string {
  const [ours, theirs] = [URL.parse(expected), URL.parse(got)]
  if (ours === null || theirs === null) return ''
  if (withoutSlashes(expected) === withoutSlashes(got)) return '; they differ by the slash at the end alone'
  if (ours.host !== theirs.host && ours.pathname === theirs.pathname)
    return `; ${ours.host} is an alias, ${theirs.host} is the name the provider goes by`
  if (ours.protocol !== theirs.protocol && ours.host === theirs.host)
    return '; the provider does not know by which scheme browsers reach it (Keycloak: --hostname or --proxy-headers)'
  return ''
}

const withoutSlashes = (url: string): string => url.replace(/\/+$/, '')

/** One line of ASCII, bounded. */
const printable = (text: string): string => text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?')

/**
 * The same where discovery did name the issuer of the file: the provider calls itself by the name it was asked by, so the
 * line to change is its own.
 * @param where `in its ID token`
 */
export function otherName(expected: string, got: unknown, where: string): string {
  const seen = typeof got === 'string' && got !== '' ? printable(got) : 'none'
  const line = `give the provider one name, whoever asks (Keycloak: hostname=${URL.parse(expected)?.origin})`
  return `invalid issuer: expected ${expected}, got ${seen} ${where}; ${line}${differenceOf(expected, seen)}`
}
