/** The last line of defence of every log line: whatever looks like a credential is cut out of it. */

/**
 * A JWT or JWE in compact form: its first part always starts with `{"`. No start looks past the next one, here and
 * below: lines hold text of clients, and 30 KiB of almost-tokens held up everybody for half a second.
 */
const jwt = /\beyJ(?:(?!-eyJ)[\w-]){6,}\.[\w-]*(?:\.[\w-]*){1,3}/g
/** Our cookies by their default names, where a Cookie header slipped into a sentence. */
const ownCookie = /((?:__Host-Http-|__Host-|__Secure-)?dw-[\da-f]{8}[\w-]{0,64}=)[^;\s"\\,]+/g
/** Plain words after the scheme stay: "Bearer verification failed" is a sentence. */
const authorization =
  /\b([Bb]earer|[Bb]asic|DPoP|Negotiate)(\s+)(?:(?![a-z]+(?![\w.~+/=-]))[\w.~+/=-]{8,}|[\w.~+/=-]{24,})/g
/** Parameters of an address or a form (RFC 6749, RFC 7636, OpenID Connect). */
const parameter =
  /((?<=[?&])(?:code|state|nonce)|\b(?:(?:access|refresh|id|logout)_token|id_token_hint|client_secret|client_assertion|code_verifier|password))=[^&\s"\\]+/gi

export function scrub(line: string): string {
  return line
    .replace(jwt, '[token]')
    .replace(authorization, '$1$2[token]')
    .replace(ownCookie, '$1[cookie]')
    .replace(parameter, '$1=[redacted]')
}

/** JSON leaves DEL, C1 controls and line separators bare; a terminal that shows the log would obey them. */
export const escapeControls = (json: string): string =>
  json.replace(/[\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, escaped)

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
