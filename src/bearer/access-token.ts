/** The checks of a JWT access token that need no key (RFC 9068 4, RFC 8725), each a named function in one list. */
import type { BearerConfig } from '../config/bearer-config.ts'
import { isMilliseconds, isNumericDate, wordsForNoDate } from '../core/numeric-date.ts'
import type { UnverifiedJwt } from '../issuer/jwt.ts'

/** What is wrong, for the client's developer; never a token. */
export interface Flaw {
  readonly reason: 'token_invalid' | 'token_expired'
  readonly detail: string
}

/** Seconds a clock may be ahead of or behind ours. */
export const clockTolerance = 30

type Check = (jwt: UnverifiedJwt, entry: BearerConfig, nowSeconds: number) => Flaw | undefined

/** Before the signature: what is no access token at all. */
export const formChecks: readonly Check[] = [
  checkExtensions,
  checkType,
  checkAlgorithm,
  checkKeyId,
  checkPurpose,
  checkConfirmation,
]

/** After the signature: whether it is for us, and now. */
export const claimChecks: readonly Check[] = [checkExpiry, checkBeginning, checkSubject, checkAudience, checkClient]

export function firstFlaw(
  checks: readonly Check[],
  jwt: UnverifiedJwt,
  entry: BearerConfig,
  nowSeconds: number,
): Flaw | undefined {
  for (const check of checks) {
    const flaw = check(jwt, entry, nowSeconds)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

export const invalid = (detail: string): Flaw => ({ reason: 'token_invalid', detail })

/** RFC 7515 4.1.11: an extension we do not know has to be refused; `b64` changes what was signed (RFC 7797). */
function checkExtensions({ header }: UnverifiedJwt): Flaw | undefined {
  for (const name of ['crit', 'b64', 'zip', 'enc', 'cty']) {
    if (Object.hasOwn(header, name)) return invalid(`the header parameter ${name} is not accepted`)
  }
  return undefined
}

/** RFC 9068 4: `at+jwt`; Keycloak and others write `JWT` or nothing. Case does not matter (RFC 8725bis). */
function checkType({ header: { typ } }: UnverifiedJwt): Flaw | undefined {
  if (typ === undefined) return undefined
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
  return type === 'jwt' || type === 'at+jwt' ? undefined : invalid('the header says it is no access token (typ)')
}

/** The list is ours; the header never chooses. */
function checkAlgorithm({ header: { alg } }: UnverifiedJwt, { algorithms }: BearerConfig): Flaw | undefined {
  const listed = typeof alg === 'string' && algorithms.includes(alg) && !/^(?:none|hs)/i.test(alg)
  return listed ? undefined : invalid(`the algorithm is not one of ${algorithms.join(', ')}`)
}

/** A name to look keys up by, nothing else: never a path, an address or a query. */
function checkKeyId({ header: { kid } }: UnverifiedJwt): Flaw | undefined {
  const fits = kid === undefined || (typeof kid === 'string' && kid.length <= 1024)
  return fits ? undefined : invalid('kid is not a short text')
}

/** Tokens of one issuer share keys and sometimes audience: what they are for keeps them apart (RFC 8725 3.11). */
function checkPurpose({ payload }: UnverifiedJwt): Flaw | undefined {
  const { typ } = payload
  if (typ !== undefined && (typeof typ !== 'string' || !/^bearer$/i.test(typ))) {
    return invalid(`this is a token of another kind (typ ${kindOf(typ)}), not an access token`)
  }
  for (const [claim, kind] of foreignClaims) {
    if (Object.hasOwn(payload, claim)) return invalid(`this is ${kind} (it holds ${claim}), not an access token`)
  }
  return undefined
}

const kindOf = (typ: unknown): string =>
  typeof typ === 'string' && /^(?:ID|Refresh|Offline|Logout|DPoP)$/i.test(typ) ? typ : 'unknown'

const foreignClaims = [
  ['nonce', 'an ID token'],
  ['at_hash', 'an ID token'],
  ['c_hash', 'an ID token'],
  ['s_hash', 'an ID token'],
  ['events', 'a logout token'],
] as const

/** RFC 7800: it is bound to a key of the sender, and as a plain Bearer nobody has shown that key. */
function checkConfirmation({ payload }: UnverifiedJwt): Flaw | undefined {
  return Object.hasOwn(payload, 'cnf')
    ? invalid('the token is bound to its sender (cnf) and came as Bearer')
    : undefined
}

function checkExpiry({ payload: { exp } }: UnverifiedJwt, _: BearerConfig, now: number): Flaw | undefined {
  if (!isNumericDate(exp)) return invalid(`exp ${wordsForNoDate(exp)}`)
  return exp + clockTolerance <= now ? { reason: 'token_expired', detail: 'the token has expired' } : undefined
}

function checkBeginning({ payload: { nbf, iat } }: UnverifiedJwt, _: BearerConfig, now: number): Flaw | undefined {
  for (const [claim, value] of [
    ['nbf', nbf],
    ['iat', iat],
  ] as const) {
    if (value === undefined) continue
    if (isMilliseconds(value)) return invalid(`${claim} ${wordsForNoDate(value)}`)
    if (typeof value !== 'number' || !Number.isFinite(value)) return invalid(`${claim} is no time`)
    const ahead = Math.round(value - now)
    if (value - now > clockTolerance) return invalid(`${claim} is ${ahead} s in the future: the clocks differ`)
  }
  return undefined
}

function checkSubject({ payload: { sub } }: UnverifiedJwt): Flaw | undefined {
  if (sub === undefined) return invalid('sub is missing (Keycloak: the client scope `basic`)')
  return typeof sub === 'string' && sub !== '' && sub.length <= 255 ? undefined : invalid('sub is no short text')
}

function checkAudience({ payload: { aud } }: UnverifiedJwt, { audience }: BearerConfig): Flaw | undefined {
  const got = Array.isArray(aud) ? aud : [aud]
  if (got.some((one) => typeof one === 'string' && one !== '' && audience.includes(one))) return undefined
  const seen = got.filter((one) => typeof one === 'string').join(', ')
  return invalid(`invalid audience: expected ${audience.join(' or ')}, got ${quoted(seen)}`)
}

function checkClient({ payload }: UnverifiedJwt, { clients }: BearerConfig): Flaw | undefined {
  if (clients.length === 0) return undefined
  const client = payload.azp ?? payload.client_id
  if (typeof client === 'string' && clients.includes(client)) return undefined
  const seen = typeof client === 'string' ? client : ''
  return invalid(`invalid client (azp): expected ${clients.join(' or ')}, got ${quoted(seen)}`)
}

/** Foreign text in an answer header and a log line: printable ASCII, bounded. */
export const quoted = (text: string): string =>
  text === '' ? 'none' : text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?')
