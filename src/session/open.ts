import type { Config } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import { randomToken } from '../core/encoding.ts'
import type { Log } from '../core/log.ts'
import { Secret } from '../core/secret.ts'
import { createSealingKeys, type KeyFingerprint, type SealingKeys } from '../keys/sealing.ts'
import type { KeyValue, StoreState } from '../storage/key-value.ts'
import { type Leases, openLeases } from '../storage/lease.ts'
import { openMemoryKeyValue } from '../storage/memory.ts'
import { followRedisOptions, type RedisOptions } from '../storage/redis-options.ts'
import { createOwnCookieTest } from './cookie-name.ts'
import { type CookieSpec, createCookieSpec } from './cookie-spec.ts'
import { openLiveSessions } from './live-sessions.ts'
import { createLoginFlows, type LoginFlows } from './login-flow.ts'
import { renewedHandle } from './refresh-lease.ts'
import { openRevocations, type Revocations } from './revocations.ts'
import type { OnRunOut } from './run-out.ts'
import { openSealedSessions, type SealedCookie } from './sealed.ts'
import { createSealedRenewals } from './sealed-renewals.ts'
import type { CacheStatistics, SessionStore } from './session.ts'
import { createSignInMarkers, type SignInMarkers } from './sign-in-marker.ts'
import { openStoredSessions } from './stored.ts'
import type { StoredCookie } from './stored-cookies.ts'

/** What outlives a reload of the config: records, marks of ended sessions, leases. */
export interface SessionState {
  readonly kv: KeyValue
  /** Other processes use the same store. */
  readonly shared: boolean
  readonly revocations: Revocations
  readonly leases: Leases
  /**
   * Takes address and credentials of the store from a new configuration, for the connections from now on.
   * @throws Error where it names a store of another kind
   */
  follow(config: StoreChoice): void
  close(): Promise<void>
}

/** What decides where sessions are kept; a Config fits. */
export interface StoreChoice {
  readonly session: Pick<Config['session'], 'store' | 'secrets'>
  readonly redis: RedisOptions | undefined
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
  /** Whether sessions can be read and written at this moment. */
  storeState(): StoreState
  /** Leaves the state open: a reload hands it on. */
  close(): Promise<void>
}

/** Entries of the memory store, two per session; at 4 KiB each that is far below what a process has. */
const maxEntries = 200_000

/** The client of Redis is a third of all modules, so a gateway without Redis starts without it. */
async function openShared(options: () => RedisOptions, log: Log): Promise<KeyValue> {
  const { openRedisKeyValue } = await import('../storage/redis.ts')
  return openRedisKeyValue(followRedisOptions(options(), options), { log })
}

/**
 * @param config decides between the memory of this process and the store all replicas share; left out: memory
 * @param memoryEntries of that memory; left out: more than anybody needs
 */
export async function openSessionState(deps: {
  readonly clock: Clock
  readonly log: Log
  readonly config?: StoreChoice
  readonly memoryEntries?: number
}): Promise<SessionState> {
  const { config, clock, log, memoryEntries = maxEntries } = deps
  const first = config && sharedStoreOf(config)
  const shared = first !== undefined
  let latest = first
  const kv = shared
    ? await openShared(() => latest ?? first, log)
    : openMemoryKeyValue({ clock, log, maxEntries: memoryEntries })
  let keys = createSealingKeys(config?.session.secrets ?? [new Secret(randomToken())])
  const revocations = await openRevocations({ clock, log, kv, keys: () => keys, shared })
  const leases = await openLeases(kv, log)
  return {
    kv,
    shared,
    revocations,
    leases,
    follow(next) {
      const redis = sharedStoreOf(next)
      if ((redis !== undefined) !== shared) {
        throw new Error('session.store cannot move between memory and a shared store while running: restart for it')
      }
      latest = redis
      keys = createSealingKeys(next.session.secrets)
    },
    async close() {
      leases.close()
      await revocations.close()
      await kv.close()
    },
  }
}

/** The store the file shares between replicas, if it does. */
const sharedStoreOf = ({ session, redis }: StoreChoice): RedisOptions | undefined =>
  session.store === 'memory' ? undefined : redis

interface OpenDeps {
  readonly state: SessionState
  readonly clock: Clock
  readonly log: Log
  readonly onRunOut?: OnRunOut
}

/** Opens the store the file names, for every site of `publicUrl`. */
export function openSessions(config: Pick<Config, 'session' | 'publicUrls' | 'providers'>, deps: OpenDeps): Sessions {
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
    storeState: () => deps.state.kv.state(),
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
  { state, clock, log, onRunOut }: OpenDeps,
) {
  const { revocations, kv, leases } = state
  const shared = { keys, lifetimes: session, revocations, clock, onRunOut }
  if (session.store === 'cookie') {
    const cache = openLiveSessions<SealedCookie>(session.cacheBytes, revocations)
    const open = (spec: CookieSpec): SessionStore => {
      const renewals = state.shared ? createSealedRenewals({ ...shared, kv, binding: spec.binding }) : undefined
      return openSealedSessions({ ...shared, spec, cache, renewals })
    }
    return { open, statistics: cache.statistics, close: cache.close }
  }
  const cache = openLiveSessions<StoredCookie>(session.cacheBytes, revocations)
  const open = (spec: CookieSpec): SessionStore => openStoredSessions({ ...shared, spec, cache, kv, log })
  const stopListening = leases.onReleased((name, word) => {
    const handle = renewedHandle(name, word)
    if (handle !== undefined) cache.deleteSession(handle)
  })
  const close = (): void => {
    stopListening()
    cache.close()
  }
  return { open, statistics: cache.statistics, close }
}

/** One spec per origin; with a cookie domain one for all of them, named after the first. */
export function specsOf({ session, publicUrls, providers }: Pick<Config, 'session' | 'publicUrls' | 'providers'>) {
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
