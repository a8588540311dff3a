import type { Config } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { createSealingKeys, type KeyFingerprint, type SealingKeys } from '../keys/sealing.ts'
import type { KeyValue } from '../storage/key-value.ts'
import { openMemoryKeyValue } from '../storage/memory.ts'
import { createOwnCookieTest } from './cookie-name.ts'
import { type CookieSpec, createCookieSpec } from './cookie-spec.ts'
import { openLiveSessions } from './live-sessions.ts'
import { createLoginFlows, type LoginFlows } from './login-flow.ts'
import { openRevocations, type Revocations } from './revocations.ts'
import { openSealedSessions, type SealedCookie } from './sealed.ts'
import type { CacheStatistics, SessionStore } from './session.ts'
import { createSignInMarkers, type SignInMarkers } from './sign-in-marker.ts'
import { openStoredSessions } from './stored.ts'
import type { StoredCookie } from './stored-cookies.ts'

/** What outlives a reload of the config: the records of the memory store, and the marks of ended sessions. */
export interface SessionState {
  readonly kv: KeyValue
  readonly revocations: Revocations
  close(): Promise<void>
}

/** Everything about sessions at one site (an origin of publicUrl, or all hosts of a cookie domain). */
export interface SiteSessions {
  readonly spec: CookieSpec
  readonly store: SessionStore
  readonly flows: LoginFlows
  readonly markers: SignInMarkers
}

export interface Sessions {
  readonly sites: readonly SiteSessions[]
  /** The site a request is for; undefined for an origin no session can exist at. @param origin as `originOf` gives it */
  at(origin: string): SiteSessions | undefined
  /** Whether a cookie is ours, of any site: never sent to an upstream, never taken from one. Folds case. */
  isOwnCookieName(name: string): boolean
  readonly keys: SealingKeys
  /** For /status: which secrets are loaded, in order. */
  fingerprint(): readonly KeyFingerprint[]
  /** All sites together. */
  cacheStatistics(): CacheStatistics
  /** Leaves the state open: a reload hands it on. */
  close(): Promise<void>
}

/** Entries of the memory store, two per session; at 4 KiB each that is far below what a process has. */
const maxEntries = 200_000

export async function openSessionState(deps: { readonly clock: Clock; readonly log: Log }): Promise<SessionState> {
  const kv = openMemoryKeyValue({ ...deps, maxEntries })
  const revocations = await openRevocations({ ...deps, kv })
  return {
    kv,
    revocations,
    async close() {
      await revocations.close()
      await kv.close()
    },
  }
}

/** Opens the store the file names, for every site of `publicUrl`. */
export function openSessions(
  config: Pick<Config, 'session' | 'publicUrls' | 'providers'>,
  deps: { readonly state: SessionState; readonly clock: Clock; readonly log: Log },
): Sessions {
  const keys = createSealingKeys(config.session.secrets)
  const stores = openStores(config, keys, deps)
  const sites = specsOf(config).map((spec) => ({
    spec,
    store: stores.open(spec),
    flows: createLoginFlows({ keys, spec, clock: deps.clock }),
    markers: createSignInMarkers({ keys, spec, clock: deps.clock }),
  }))
  const byOrigin = new Map(sites.map((site) => [site.spec.origin, site]))
  const shared = config.session.cookieDomain === undefined ? undefined : sites[0]

  return {
    sites,
    at: (origin) => byOrigin.get(origin) ?? (shared !== undefined && covers(shared.spec, origin) ? shared : undefined),
    isOwnCookieName: createOwnCookieTest(sites.map(({ spec }) => spec.names)),
    keys,
    fingerprint: keys.fingerprint,
    cacheStatistics: stores.statistics,
    async close() {
      stores.close()
      for (const { store } of sites) await store.close()
    },
  }
}

/** One cache of opened sessions for all sites. */
function openStores(
  { session }: Pick<Config, 'session'>,
  keys: SealingKeys,
  { state, clock, log }: { readonly state: SessionState; readonly clock: Clock; readonly log: Log },
) {
  const { revocations, kv } = state
  const shared = { keys, lifetimes: session, revocations, clock }
  if (session.store === 'cookie') {
    const cache = openLiveSessions<SealedCookie>(session.cacheBytes, revocations)
    const open = (spec: CookieSpec): SessionStore => openSealedSessions({ ...shared, spec, cache })
    return { open, statistics: cache.statistics, close: cache.close }
  }
  const cache = openLiveSessions<StoredCookie>(session.cacheBytes, revocations)
  const open = (spec: CookieSpec): SessionStore => openStoredSessions({ ...shared, spec, cache, kv, log })
  return { open, statistics: cache.statistics, close: cache.close }
}

/** One spec per origin; with a cookie domain one for all of them, named after the first. */
function specsOf({ session, publicUrls, providers }: Pick<Config, 'session' | 'publicUrls' | 'providers'>) {
  const [provider] = providers
  const origins = [...new Set(publicUrls.map((url) => url.origin))]
  const named = session.cookieDomain === undefined ? origins : origins.slice(0, 1)
  return named.map((origin) =>
    createCookieSpec({
      // Without a provider nobody signs in here; the names still keep our cookies apart from the application's.
      issuer: provider?.issuer ?? '',
      clientId: provider?.clientId ?? '',
      origin,
      domain: session.cookieDomain,
      secure: origin.startsWith('https:'),
      override: session.cookieName,
      sameSite: session.sameSite,
    }),
  )
}

/** Whether the browser sends cookies of this domain to the origin (RFC 6265 5.1.3), under the same scheme. */
function covers(spec: CookieSpec, origin: string): boolean {
  const [, scheme, host] = /^(https?:)\/\/([^/:]+)(?::\d+)?$/.exec(origin) ?? []
  if (host === undefined || spec.domain === undefined || !spec.origin.startsWith(`${scheme}//`)) return false
  const domain = spec.domain.replace(/^\./, '').toLowerCase()
  return host === domain || host.endsWith(`.${domain}`)
}
