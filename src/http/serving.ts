import type { Runtime } from '../runtime.ts'
import type { SiteSessions } from '../session/open.ts'
import type { LiveSession, Session } from '../session/session.ts'
import type { Audit } from '../telemetry/audit.ts'
import { signedInWith } from './account.ts'
import type { OpenTunnels } from './open-tunnels.ts'
import { createRefuser, type Refuser } from './refuse.ts'
import { createHostReader, type Surroundings } from './request-reading.ts'
import { ownPages } from './return-address.ts'
import { createSignedOutStates, type SignedOutStates } from './signed-out-state.ts'
import { createSites, type Sites } from './sites.ts'

/** A Runtime with what only HTTP needs of it. Made once per Runtime, replaced with it. */
export interface Serving extends Runtime {
  readonly surroundings: Surroundings
  readonly sites: Sites
  readonly refuser: Refuser
  readonly audit: Audit
  readonly signedOutStates: SignedOutStates
  /** Where a person may be sent back to: our own addresses and the hosts routes name. */
  readonly returnOrigins: readonly string[]
  /** Origins our forms may be redirected to: the providers' authorization and end-session endpoints. */
  formAction(): readonly string[]
  /** A page of ours found a session alive: that keeps its open connections too. */
  seen(live: LiveSession): void
  /** Ends a session for good, and every connection it holds open. */
  endSession(site: SiteSessions, session: Session, why: 'logout' | 'replaced'): Promise<void>
}

export interface ServingParts {
  readonly audit: Audit
  readonly tunnels: OpenTunnels
}

export function createServing(runtime: Runtime, { audit, tunnels }: ServingParts): Serving {
  const { config, ownOrigins, trusted } = runtime
  const sites = createSites(config.publicUrls, runtime.sessions)
  const { scheme } = sites.all[0]!
  const formAction = () => [...new Set(Array.from(runtime.providers.values(), originsOf).flat())]
  const routeOrigins = config.routes.flatMap(({ host }) => (host === undefined ? [] : [`${scheme}://${host}`]))
  return {
    ...runtime,
    surroundings: { trusted, scheme, readHost: createHostReader() },
    sites,
    audit,
    formAction,
    signedOutStates: createSignedOutStates(runtime.sessions.keys),
    returnOrigins: [...new Set([...ownOrigins, ...routeOrigins])],
    refuser: createRefuser({
      brand: config.brand,
      pages: ownPages(ownOrigins, config.basePath),
      scheme,
      formAction,
      signedInWith: (identity) => signedInWith(config, identity),
    }),
    seen: tunnels.seen,
    async endSession({ store }, session, why) {
      await store.end(session)
      tunnels.endSession(session.id)
      if (why === 'replaced') {
        audit({ event: 'session_ended', identity: session.identity, sessionId: session.id, reason: 'replaced' })
      }
    },
  }
}

type WithOrigins = { authorizationOrigin(): string | undefined; endSessionOrigin(): string | undefined }

const originsOf = (provider: WithOrigins): string[] =>
  [provider.authorizationOrigin(), provider.endSessionOrigin()].filter((origin) => origin !== undefined)
