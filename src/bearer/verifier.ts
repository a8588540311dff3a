/** The room's door: tells whether a bearer token is an access token for us, and whose. */
import type { BearerConfig } from '../config/bearer-config.ts'
import { ClaimError, type Claims, hasClaim, identityFrom } from '../core/claims.ts'
import type { Clock } from '../core/clock.ts'
import type { Identity } from '../core/identity.ts'
import type { Log } from '../core/log.ts'
import { readJwt, type UnverifiedJwt } from '../issuer/jwt.ts'
import type { KeptState } from '../issuer/kept.ts'
import { claimChecks, clockTolerance, type Flaw, firstFlaw, formChecks, invalid, quoted } from './access-token.ts'
import { type BearerIssuer, openBearerIssuer } from './jwks.ts'
import { createTokenCache } from './token-cache.ts'
import { userinfoFor } from './userinfo.ts'

export type BearerResult =
  | {
      readonly kind: 'valid'
      readonly identity: Identity
      /** Milliseconds since the epoch: the token's `exp`. */
      readonly expiresAt: number
    }
  | {
      readonly kind: 'invalid'
      readonly reason: 'token_invalid' | 'token_expired'
      /** What differs, for the client's developer: `invalid issuer: expected X, got Y`. Never a token. */
      readonly detail: string
    }

/** One header that a gateway in front puts its tokens into, with issuers and keys of its own. */
export interface TokenSource {
  /** Lower case. */
  readonly header: string
  /** As `BearerVerifier.verify`: a token of one header counts in no other. */
  verify(token: string): BearerResult | Promise<BearerResult>
}

export interface BearerVerifier {
  /** In the order of the file; empty where it names no header. */
  readonly sources: readonly TokenSource[]
  /**
   * A token of an Authorization header. Synchronous for one seen before.
   * @throws GatewayError `provider_unreachable` where keys (or userinfo, if asked for) cannot be had
   */
  verify(token: string): BearerResult | Promise<BearerResult>
  /** By issuer, for /readyz. */
  states(): ReadonlyMap<string, KeptState>
  cacheStatistics(): {
    readonly entries: number
    readonly bytes: number
    readonly hits: number
    readonly misses: number
  }
  close(): Promise<void>
}

export interface BearerWorld {
  readonly clock: Clock
  readonly log: Log
  readonly allowInsecureHttp: boolean
  /** Bytes that results may take; 16 MiB unless said. */
  readonly cacheBytes?: number
}

/** Larger tokens are refused before anything is parsed. In bytes. */
const jwtSizeLimit = 16 * 1024
/** Milliseconds a refusal is remembered: long enough for a retry loop, short enough for rotated keys. */
const refusalLife = 5000
const defaultCacheBytes = 16 * 1024 * 1024

interface Entry {
  readonly config: BearerConfig
  readonly issuer: BearerIssuer
}

export function openBearerVerifier(entries: readonly BearerConfig[], world: BearerWorld): BearerVerifier {
  const opened = openEntries(entries, world)
  const headers = [...new Set(entries.flatMap(({ header }) => header ?? []))]
  const readerFor = (header: string | undefined): Reader =>
    createReader(
      opened.filter(({ config }) => config.header === header),
      world,
    )
  const authorization = readerFor(undefined)
  const sources = headers.map((header) => ({ header, ...readerFor(header) }))
  return {
    sources,
    verify: authorization.verify,
    states: () => new Map(opened.map(({ config, issuer }) => [config.issuer, issuer.state()])),
    cacheStatistics: () => sumOf([authorization, ...sources].map(({ cacheStatistics }) => cacheStatistics())),
    close: async () => {
      await Promise.all([...new Set(opened.map(({ issuer }) => issuer))].map((issuer) => issuer.close()))
    },
  }
}

type Reader = Pick<BearerVerifier, 'verify' | 'cacheStatistics'>
type Statistics = ReturnType<BearerVerifier['cacheStatistics']>

const sumOf = (all: readonly Statistics[]): Statistics => ({
  entries: all.reduce((sum, { entries }) => sum + entries, 0),
  bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  hits: all.reduce((sum, { hits }) => sum + hits, 0),
  misses: all.reduce((sum, { misses }) => sum + misses, 0),
})

/**
 * Reads the tokens of one header. Each has a cache of its own: what one proves, it proves nowhere else
 * (with one cache, a gateway's token would count as an API client's).
 */
function createReader(opened: readonly Entry[], world: BearerWorld): Reader {
  const { clock } = world
  const cache = createTokenCache<BearerResult>(world.cacheBytes ?? defaultCacheBytes, clock.now)
  const flights = new Map<string, Promise<BearerResult>>()

  const findOut = async (token: string): Promise<BearerResult> => {
    try {
      const result = await verifyNew(token, opened, world)
      const until = result.kind === 'valid' ? result.expiresAt + clockTolerance * 1000 : clock.now() + refusalLife
      cache.set(token, result, until, 512 + (result.kind === 'valid' ? token.length : 0))
      return result
    } finally {
      flights.delete(token)
    }
  }
  return {
    verify: (token) => {
      if (token.length > jwtSizeLimit) return refused(invalid(`the token is larger than ${jwtSizeLimit} bytes`))
      const known = cache.get(token)
      if (known !== undefined) return known
      const flight = flights.get(token) ?? findOut(token)
      flights.set(token, flight)
      return flight
    },
    cacheStatistics: cache.statistics,
  }
}

/** Entries that name an issuer alike share its keys, and so its one fetch in 30 s. */
function openEntries(entries: readonly BearerConfig[], world: BearerWorld): readonly Entry[] {
  const issuers = new Map<string, BearerIssuer>()
  return entries.map((config) => {
    const { issuer, jwksUrl, internalUrl, caFile, keys, timeout } = config
    const key = JSON.stringify([issuer, jwksUrl, internalUrl, caFile, keys, timeout])
    const shared = issuers.get(key) ?? openBearerIssuer(config, world)
    issuers.set(key, shared)
    return { config, issuer: shared }
  })
}

async function verifyNew(token: string, entries: readonly Entry[], world: BearerWorld): Promise<BearerResult> {
  const jwt = readJwt(token)
  if (jwt === undefined) return refused(invalid('the token is not a JWT'))
  const candidates = entries.filter(({ config }) => config.issuer === jwt.payload.iss)
  if (candidates.length === 0) return refused(wrongIssuer(jwt, entries))
  // Several entries may share an issuer and differ in audience; the first that fits wins, else the first flaw tells.
  let first: BearerResult | undefined
  for (const entry of candidates) {
    const result = await verifyFor(entry, token, jwt, world)
    if (result.kind === 'valid') return result
    first ??= result
  }
  return first ?? refused(invalid('no entry'))
}

async function verifyFor(entry: Entry, token: string, jwt: UnverifiedJwt, world: BearerWorld): Promise<BearerResult> {
  const { config, issuer } = entry
  const seconds = world.clock.now() / 1000
  const malformed = firstFlaw(formChecks, jwt, config, seconds)
  if (malformed !== undefined) return refused(malformed)
  const signature = await issuer.keySet.verify(token, config.algorithms)
  if (!signature.valid) return refused(invalid(signature.detail))
  const flaw = firstFlaw(claimChecks, jwt, config, seconds)
  if (flaw !== undefined) return refused(flaw)

  const userinfo = await userinfoIfNeeded(entry, token, jwt.payload)
  if (userinfo === 'refused') return refused(invalid('the issuer’s userinfo refuses the token'))
  return accepted(config, jwt.payload, userinfo)
}

async function userinfoIfNeeded({ config, issuer }: Entry, token: string, claims: Claims) {
  if (!config.userinfo || hasClaim(claims, config.groupsClaim)) return undefined
  return userinfoFor(issuer, token, claims.sub)
}

function accepted(config: BearerConfig, accessToken: Claims, userinfo: Claims | undefined): BearerResult {
  try {
    const rules = { ...config, provider: config.issuer, groupsKept: [] }
    const identity = identityFrom({ accessToken, userinfo }, rules, undefined)
    return { kind: 'valid', identity, expiresAt: Number(accessToken.exp) * 1000 }
  } catch (error) {
    if (error instanceof ClaimError) return refused(invalid(error.message))
    throw error
  }
}

function wrongIssuer({ payload }: UnverifiedJwt, entries: readonly Entry[]): Flaw {
  const expected = [...new Set(entries.map(({ config }) => config.issuer))].join(' or ')
  return invalid(
    `invalid issuer: expected ${expected}, got ${quoted(typeof payload.iss === 'string' ? payload.iss : '')}`,
  )
}

const refused = (flaw: Flaw): BearerResult => ({ kind: 'invalid', ...flaw })
