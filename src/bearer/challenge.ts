export interface BearerChallenge {
  /** RFC 6750 3.1, RFC 9470 3: none where no token came. */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication'
  readonly description?: string
  /** Scopes that would be enough. */
  readonly scopes?: readonly string[]
  /** RFC 9470: the authentication that would be enough. */
  readonly acr?: readonly string[]
  /** RFC 9470: seconds since the last authentication that would be enough. */
  readonly maxAge?: number
  /** RFC 9728 5.1: where the metadata of this resource is. */
  readonly resourceMetadata?: string
}

/** The value of a WWW-Authenticate header, `Bearer …` (RFC 6750 3, RFC 9470 3, RFC 9728 5.1); never without a parameter. */
export function bearerChallenge(challenge: BearerChallenge): string {
  const parameters = [
    ['error', challenge.error],
    ['error_description', challenge.description],
    ['scope', challenge.scopes?.join(' ')],
    ['acr_values', challenge.acr?.join(' ')],
    ['max_age', challenge.maxAge?.toString()],
    ['resource_metadata', challenge.resourceMetadata],
  ] as const
  const written = parameters
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}="${quotable(value!)}"`)
  return written.length === 0 ? 'Bearer realm="doorward"' : `Bearer ${written.join(', ')}`
}

/**
 * RFC 6750 3 allows %x20-21, %x23-5B and %x5D-7E: no quote, no backslash, so nothing has to be escaped and no
 * reader can end the text early.
 */
const quotable = (text: string): string =>
  text
    .slice(0, 1000)
    .replaceAll('"', "'")
    .replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?')
