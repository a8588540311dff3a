/** Owns what becomes of a request when nobody has been proved: anonymous where the route lets it, else "please sign in". */

import type { CompiledRoute } from '../policy/policy.ts'
import type { SetCookies } from '../session/session.ts'
import { type Decision, noCookies } from './decision.ts'
import type { IdentityHeaders } from './identity-headers.ts'
import { refused } from './judge.ts'

export type WithoutProof = (
  route: CompiledRoute,
  reason: 'not_signed_in' | 'session_expired',
  setCookies: SetCookies,
) => Decision

/** @param anonymous by route index */
export function createWithoutProof(anonymous: readonly Decision[]): WithoutProof {
  return (route, reason, setCookies) => {
    if (route.access === 'optional') return { ...anonymous[route.index]!, setCookies }
    if (!route.acceptsSession) return refused({ kind: 'challenge', route: route.index, reason: 'not_signed_in' }, route)
    const provider = route.provider === undefined ? {} : { provider: route.provider }
    const wish = { ...(route.acr && { acr: route.acr }), ...(route.maxAge !== undefined && { maxAge: route.maxAge }) }
    return refused({ kind: 'login', route: route.index, reason, ...provider, ...wish }, route, undefined, setCookies)
  }
}

/** Let in without being anybody; only `public` and `optional` routes ever use theirs. */
export function anonymousDecision(route: CompiledRoute, headers: IdentityHeaders): Decision {
  return {
    verdict: { kind: 'allow', route: route.index, identity: undefined },
    route,
    live: undefined,
    until: undefined,
    headers,
    setCookies: noCookies,
    isPreflight: false,
  }
}
