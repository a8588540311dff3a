import { type BearerVerifier, openBearerVerifier } from './bearer/verifier.ts'
import type { Config } from './config/config.ts'
import { type Networks, parseNetworks } from './core/addresses.ts'
import type { Clock } from './core/clock.ts'
import type { Log } from './core/log.ts'
import { originOf, type Target } from './core/target.ts'
import { createAsserter } from './gate/assertion.ts'
import { createGate, type Gate } from './gate/gate.ts'
import { configuredNames } from './gate/identity-headers.ts'
import { compileTokenEnd } from './gate/passed-tokens.ts'
import { createRenewal, type Renewal, type RenewalOutcome } from './gate/renewal.ts'
import { compileRouteHeaders } from './gate/route-headers.ts'
import { type AssertionKeys, deriveAssertionKeys, fixedAssertionKeys } from './keys/assertion-keys.ts'
import { openGitHub } from './oidc/github/provider.ts'
import type { IdentityProvider } from './oidc/identity-provider.ts'
import { openProvider } from './oidc/provider.ts'
import { compilePolicy, type Policy } from './policy/policy.ts'
import { createHeaderNames, type HeaderNames } from './proxy/header-names.ts'
import { createUpstreamAuthorization, type UpstreamAuthorization } from './proxy/upstream-authorization.ts'
import { openUpstreams, type Upstreams } from './proxy/upstreams.ts'
import { createDroppedCookieTest } from './session/dropped-cookies.ts'
import { openSessions, type SessionState, type Sessions } from './session/open.ts'
import type { OnRunOut } from './session/run-out.ts'
import type { Session, SessionStore } from './session/session.ts'

/** What a runtime stands on and does not own: it outlives every reload. */
export interface World {
  readonly clock: Clock
  readonly log: Log
  /** Records of the memory store and marks of ended sessions, so that a reload forgets nobody. */
  readonly sessionState: SessionState
  readonly onRunOut: OnRunOut
  readonly onRenewal: (outcome: RenewalOutcome, session: Session, detail: string) => void
}

/** Everything one configuration turned into. Replaced whole by a reload; never changed in place. */
export interface Runtime {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly policy: Policy
  readonly gate: Gate
  readonly renewal: Renewal
  readonly sessions: Sessions
  readonly providers: ReadonlyMap<string, IdentityProvider>
  readonly bearer: BearerVerifier
  readonly upstreams: Upstreams
  readonly trusted: Networks
  readonly headerNames: HeaderNames
  /** Undefined where nothing is signed for applications. */
  readonly assertionKeys: AssertionKeys | undefined
  /** Whether a cookie stays here instead of going to the upstream, by route index. */
  readonly droppedCookies: readonly ((name: string, pair?: string) => boolean)[]
  /** Origins of publicUrl. */
  readonly ownOrigins: readonly string[]
  /** What proves this gateway to the upstream of each route. */
  readonly authorizations: readonly UpstreamAuthorization[]
  /** Lets running requests finish, then closes what was opened. */
  close(): Promise<void>
}

/**
 * Opens all parts of a configuration. Asks nobody over the network: providers and upstreams may be down.
 * @throws Error where a file of the configuration (CA, client certificate, private key) cannot be read
 */
export function openRuntime(config: Config, world: World): Runtime {
  const { clock, log, sessionState } = world
  const { allowInsecureHttp } = config
  const policy = compilePolicy(
    config.routes,
    config.publicUrls.map((url) => url.host),
  )
  const upstreams = openUpstreams(config.routes)
  const providers = new Map<string, IdentityProvider>(
    config.providers.map((provider) => {
      const open = provider.kind === 'github' ? openGitHub : openProvider
      return [provider.name, open(provider, { clock, log, allowInsecureHttp })]
    }),
  )
  const bearer = openBearerVerifier(config.bearer, { clock, log, allowInsecureHttp })
  const sessions = openSessions(config, { state: sessionState, clock, log, onRunOut: world.onRunOut })
  const { refreshEvery, store } = config.session
  const renewal = createRenewal({
    providers,
    leases: sessionState.leases,
    sealed: store === 'cookie',
    refreshEvery,
    clock,
    log,
    onOutcome: world.onRenewal,
  })
  const tokenHeaders = bearer.sources.map(({ header }) => header)
  const ownOrigins = config.publicUrls.map((url) => url.origin)
  const assertion = openAssertion(config, clock)
  const gate = createGate({
    policy,
    // Without a provider nobody can begin one.
    sessionsAt: config.providers.length === 0 ? () => undefined : storeByAddress(sessions),
    bearer,
    renewal,
    headers: compileRouteHeaders(config.routes, log, tokenHeaders),
    assertion: assertion && { name: assertion.header, make: assertion.make },
    tokenEnds: config.routes.map((route) => compileTokenEnd(route.headers)),
    ownOrigins,
    clock,
  })
  for (const provider of providers.values()) provider.warmUp()
  return {
    config,
    clock,
    log,
    policy,
    gate,
    renewal,
    sessions,
    providers,
    bearer,
    upstreams,
    trusted: parseNetworks(config.trustedProxies),
    assertionKeys: assertion?.keys,
    headerNames: createHeaderNames([
      ...configuredNames(config.routes),
      ...tokenHeaders,
      ...(assertion ? [assertion.header] : []),
    ]),
    droppedCookies: config.routes.map((route) => createDroppedCookieTest(route.dropCookies, sessions.isOwnCookieName)),
    ownOrigins,
    authorizations: config.routes.map(createUpstreamAuthorization),
    async close() {
      await Promise.all([upstreams.close(), bearer.close(), ...Array.from(providers.values(), (p) => p.close())])
      await sessions.close()
    },
  }
}

/** What signs for applications, and under which names; undefined where the file has no `assertion`. */
export function openAssertion({ assertion, session, publicUrls, routes }: Config, clock: Clock) {
  const [first] = publicUrls
  if (assertion === undefined || first === undefined) return undefined
  const { header, lifetime } = assertion
  const keys =
    assertion.keys === undefined ? deriveAssertionKeys(session.secrets, clock) : fixedAssertionKeys(assertion.keys)
  const audiences = routes.map(
    ({ assertionAudience, host }) =>
      assertionAudience ?? (host === undefined ? first.origin : `${first.protocol}//${host}`),
  )
  return { header, keys, make: createAsserter(keys, { issuer: first.origin, audiences, lifetime }, clock) }
}

/** Asked for every request: the hosts that get here are those of the file, so remembering them is bounded. */
function storeByAddress(sessions: Sessions): (target: Target) => SessionStore | undefined {
  const known = {
    http: new Map<string, SessionStore | undefined>(),
    https: new Map<string, SessionStore | undefined>(),
  }
  return (target) => {
    const stores = known[target.scheme]
    const store = stores.get(target.host)
    if (store !== undefined || stores.has(target.host)) return store
    const found = sessions.at(originOf(target))?.store
    stores.set(target.host, found)
    return found
  }
}
