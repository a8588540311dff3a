/** Owns the public keys of one issuer: fetched, filtered, kept, and fetched anew when a token names an unknown one. */
import { type CryptoKey, compactVerify, createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose'
import { isAsymmetric } from '../core/algorithms.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { isJsonObject } from '../core/strict-json.ts'
import { fetchJsonObject } from './discovery.ts'
import { createKept, type KeptState } from './kept.ts'
import type { Transport } from './transport.ts'

export interface KeySet {
  /**
   * Whether the token's signature is by one of these keys, with an algorithm of the list.
   * An unknown key makes one fetch, at most one in 30 s.
   * @throws GatewayError `provider_unreachable` where there are no keys to be had
   */
  verify(token: string, algorithms: readonly string[]): Promise<Verification>
  /** The usable keys; the last good ones while they may be used. */
  keys(): Promise<JSONWebKeySet>
  /** The same where they are here already. */
  known(): JSONWebKeySet | undefined
  /** For a token whose key is not among `keys()`: fetches, unless that was done in the last 30 s. */
  keysAfterUnknown(): Promise<JSONWebKeySet>
  state(): KeptState
}

export type Verification = { readonly valid: true } | { readonly valid: false; readonly detail: string }

const unknownKeyPause = 30_000
const freshFor = 10 * 60 * 1000
const keptFor = 24 * 60 * 60 * 1000
/** Keys without `kid` are tried in turn, this many. */
const mostTried = 4
const mostKeys = 100

/** @param locate where the keys are; asked at each fetch, since discovery may move them */
export function createKeySet(locate: () => Promise<URL>, transport: Transport, clock: Clock, log: Log): KeySet {
  const kept = createKept({
    what: 'signing keys',
    log,
    load: async () => usableKeys(await fetchJsonObject(transport, await locate())),
    clock,
    freshFor,
    keptFor,
  })
  let lastUnknown = Number.NEGATIVE_INFINITY
  let flight: Promise<JSONWebKeySet> | undefined

  const keysAfterUnknown = async (): Promise<JSONWebKeySet> => {
    if (flight !== undefined) return flight
    if (clock.now() - lastUnknown < unknownKeyPause) return kept.get()
    lastUnknown = clock.now()
    flight = kept.renew().catch(() => kept.get())
    try {
      return await flight
    } finally {
      flight = undefined
    }
  }
  return {
    keys: kept.get,
    known: kept.peek,
    keysAfterUnknown,
    state: kept.state,
    verify: async (token, algorithms) => {
      const cold = kept.peek() === undefined
      const keys = await kept.get()
      const first = await verifyWith(keys, token, algorithms)
      if (first !== 'unknown key') return first
      // Keys that were fetched for this very token are not fetched twice.
      if (cold) lastUnknown = clock.now()
      const second = cold ? first : await retryWith(await keysAfterUnknown(), keys, token, algorithms)
      return second === 'unknown key'
        ? { valid: false, detail: 'signed with a key the issuer does not publish' }
        : second
    },
  }
}

/** Keys written in the file. Nothing is ever fetched. */
export function createPinnedKeySet(keys: readonly object[], clock: Clock): KeySet {
  const set = usableKeys({ keys: [...keys] })
  const since = clock.now()
  return {
    keys: async () => set,
    known: () => set,
    keysAfterUnknown: async () => set,
    state: () => ({ ready: true, since }),
    verify: async (token, algorithms) => {
      const result = await verifyWith(set, token, algorithms)
      return result === 'unknown key' ? { valid: false, detail: 'signed with a key that is not pinned' } : result
    },
  }
}

type Outcome = Verification | 'unknown key'

async function retryWith(
  next: JSONWebKeySet,
  before: JSONWebKeySet,
  token: string,
  algorithms: readonly string[],
): Promise<Outcome> {
  return next === before ? 'unknown key' : verifyWith(next, token, algorithms)
}

async function verifyWith(keys: JSONWebKeySet, token: string, algorithms: readonly string[]): Promise<Outcome> {
  const options = { algorithms: algorithms.filter(isAsymmetric) }
  try {
    await compactVerify(token, createLocalJWKSet(keys), options)
    return { valid: true }
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'unknown key'
    if (error instanceof errors.JWKSMultipleMatchingKeys) return tryEach(error, token, options)
    return { valid: false, detail: wordsFor(error) }
  }
}

async function tryEach(
  candidates: AsyncIterable<CryptoKey>,
  token: string,
  options: { algorithms: string[] },
): Promise<Outcome> {
  let tried = 0
  for await (const key of candidates) {
    if (++tried > mostTried) break
    try {
      await compactVerify(token, key, options)
      return { valid: true }
    } catch {
      // The next one may be it.
    }
  }
  return { valid: false, detail: 'the signature is not by any key of the issuer' }
}

function wordsFor(error: unknown): string {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature is wrong'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the algorithm is not allowed'
  return 'the token is not a signed JWT we can verify'
}

/** The keys that may verify a signature; the rest is left out: encryption keys, symmetric ones, weak ones. */
export function usableKeys(document: Record<string, unknown>): JSONWebKeySet {
  const keys = Array.isArray(document.keys) ? document.keys.slice(0, mostKeys) : []
  return { keys: keys.filter(isUsable).map(publicPart) }
}

function isUsable(key: unknown): key is JWK {
  if (!isJsonObject(key) || (key.use !== undefined && key.use !== 'sig')) return false
  if (key.kid !== undefined && typeof key.kid !== 'string') return false
  if (key.kty === 'RSA') return bitsOf(key.n) >= 2048
  if (key.kty === 'EC') return key.crv === 'P-256' || key.crv === 'P-384' || key.crv === 'P-521'
  return key.kty === 'OKP' && key.crv === 'Ed25519' && !isSmallOrder(key.x)
}

/** A provider that publishes private parts by mistake does not get them used. */
function publicPart(key: JWK): JWK {
  const { kty, kid, use, alg, key_ops, crv, x, y, n, e } = key
  const part = { kty, kid, use, alg, key_ops, crv, x, y, n, e }
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined))
}

function bitsOf(modulus: unknown): number {
  if (typeof modulus !== 'string') return 0
  const hex = Buffer.from(modulus, 'base64url').toString('hex').replace(/^0+/, '')
  return hex === '' ? 0 : (hex.length - 1) * 4 + Number.parseInt(hex[0]!, 16).toString(2).length
}

/** Points that make forged Ed25519 signatures verify (RFC 8032 5.1.7 leaves them to the reader), sign bit cleared. */
const smallOrderPoints = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

function isSmallOrder(x: unknown): boolean {
  if (typeof x !== 'string') return true
  const point = Buffer.from(x, 'base64url')
  if (point.length !== 32) return true
  point[31]! &= 0x7f
  return smallOrderPoints.has(point.toString('hex'))
}
