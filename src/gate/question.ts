import type { Target } from '../core/target.ts'
import { originOf } from '../core/target.ts'
import { originProblem } from '../policy/origin.ts'
import type { CompiledRoute } from '../policy/policy.ts'
import type { Credentials } from './decision.ts'

/** What is asked for, by which route it is decided, and what came along to prove who asks. */
export interface Question {
  readonly route: CompiledRoute
  readonly target: Target
  readonly credentials: Credentials
}

/**
 * Why a request whose proof comes along by itself, as a cookie does, must not count as its person's wish; undefined
 * where it may.
 *
 * @param ownOrigins of publicUrl
 */
export const wrongOriginOf = (
  { route, target, credentials }: Question,
  ownOrigins: readonly string[],
): string | undefined =>
  originProblem({
    method: target.method,
    isUpgrade: credentials.isUpgrade,
    origin: credentials.origin,
    secFetchSite: credentials.secFetchSite,
    // The address itself counts too: with a cookie domain it need not be one of publicUrl.
    allowedOrigins: credentials.origin === originOf(target) ? [credentials.origin] : ownOrigins,
    routeOrigins: route.origins,
  })
