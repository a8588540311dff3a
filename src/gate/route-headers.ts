import type { RouteConfig } from '../config/config.ts'
import type { Log } from '../core/log.ts'
import { compileHeaders, configuredNames, type HeaderMaker, type IdentityHeaders } from './identity-headers.ts'
import { compileImpersonation, type Impersonate } from './impersonation.ts'

/**
 * What tells the upstream of each route who it is, by route index.
 * @param cleared names that an ingress is told to empty besides: they hold proofs that are meant for us
 */
export function compileRouteHeaders(
  routes: readonly RouteConfig[],
  log: Log,
  cleared: readonly string[] = [],
): readonly HeaderMaker[] {
  const names = [...new Set([...configuredNames(routes), ...cleared])]
  return routes.map(({ headers, impersonate }) => {
    const make = compileHeaders(headers, names, log)
    return impersonate === undefined ? make : withImpersonation(make, compileImpersonation(impersonate, log))
  })
}

/** For the upstream alone: an ingress has no service account to speak for others with. */
function withImpersonation(make: HeaderMaker, impersonate: Impersonate): HeaderMaker {
  return (identity, tokens): IdentityHeaders => {
    const made = make(identity, tokens)
    if (identity === undefined) return made
    const result = impersonate(identity)
    return 'unfit' in result ? { ...made, unfit: result.unfit } : { ...made, known: [...made.known, ...result.lines] }
  }
}
