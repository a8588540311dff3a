import type { Clock } from '../core/clock.ts'
import type { Identity } from '../core/identity.ts'
import type { Tokens } from '../core/tokens.ts'
import type { Forbid, Refusal, Unmet } from '../core/verdict.ts'
import type { CompiledRoute, RequestContext } from '../policy/policy.ts'
import type { LiveSession, SetCookies } from '../session/session.ts'
import { type Assertion, type AssertionHeader, withAssertion } from './assertion.ts'
import { type Credentials, type Decision, noCookies } from './decision.ts'
import type { HeaderMaker, IdentityHeaders } from './identity-headers.ts'

/** Somebody proved, by whichever credential. */
export interface Proved {
  readonly identity: Identity
  readonly tokens: Tokens | undefined
  /** Undefined for bearer tokens. */
  readonly live: LiveSession | undefined
  /** When a bearer token expires; undefined for sessions. */
  readonly until: number | undefined
}

/** May this identity use this route? Remembered per session and route where time and address play no part. */
export type Judge = (route: CompiledRoute, proved: Proved, credentials: Pick<Credentials, 'address'>) => Decision

const noHeaders: IdentityHeaders = { known: [], all: [] }

export function createJudge(
  makers: readonly HeaderMaker[],
  assertion: AssertionHeader | undefined,
  clock: Clock,
): Judge {
  const decisions = new WeakMap<object, Decision[]>()
  const headers = new WeakMap<object, IdentityHeaders[]>()
  const assertions = new WeakMap<object, Assertion[]>()

  return (route, proved, credentials) => {
    const key = proved.live ?? proved.identity
    const before = decisions.get(key)?.[route.index]
    if (before !== undefined && (assertion === undefined || isFresh(assertions.get(key)?.[route.index]))) return before

    const context = { clientAddress: credentials.address, now: clock.now() }
    const unmet = route.unmet(proved.identity, context)
    if (unmet.length > 0) return refused(refusalOf(route, proved, unmet, context), route, proved.live)
    const made = remember(headers, key, route.index, () => makers[route.index]!(proved.identity, proved.tokens))
    if (made.unfit !== undefined) return refused(forbid(route, proved.identity, [made.unfit]), route, proved.live)
    const decision = allowed(route, proved, asserted(made, route, proved, key))
    if (!route.dependsOnRequest) set(decisions, key, route.index, decision)
    return decision
  }

  function asserted(made: IdentityHeaders, route: CompiledRoute, proved: Proved, key: object): IdentityHeaders {
    if (assertion === undefined) return made
    const before = assertions.get(key)?.[route.index]
    const { jwt } = isFresh(before) ? before : set(assertions, key, route.index, assertion.make(route.index, proved))
    return withAssertion(made, assertion.name, jwt)
  }

  function isFresh(made: Assertion | undefined): made is Assertion {
    return made !== undefined && clock.now() < made.renewAt
  }
}

/** By the object a proof is, so that a renewed session or another token starts anew; and by route. */
function remember<T>(memory: WeakMap<object, T[]>, key: object, index: number, make: () => T): T {
  return memory.get(key)?.[index] ?? set(memory, key, index, make())
}

function set<T>(memory: WeakMap<object, T[]>, key: object, index: number, value: T): T {
  const known = memory.get(key)
  if (known === undefined) {
    const first: T[] = []
    first[index] = value
    memory.set(key, first)
  } else known[index] = value
  return value
}

function allowed(route: CompiledRoute, { identity, live, until }: Proved, headers: IdentityHeaders): Decision {
  const verdict = { kind: 'allow', route: route.index, identity } as const
  return { verdict, route, live, until, headers, setCookies: noCookies, isPreflight: false }
}

/** A refusal as a decision: no header of anybody leaves with it. */
export function refused(
  verdict: Refusal,
  route: CompiledRoute | undefined,
  live?: LiveSession,
  setCookies: SetCookies = noCookies,
): Decision {
  return { verdict, route, live, until: undefined, headers: noHeaders, setCookies, isPreflight: false }
}

/** Refused because another site sent it: the person is known, and did not ask for this. */
export const csrf = ({ index }: CompiledRoute, identity: Identity, detail: string): Forbid => ({
  kind: 'forbid',
  route: index,
  reason: 'csrf',
  identity,
  unmet: [],
  detail,
})

/** Where a fresher or stronger sign-in would be enough, ask for that (RFC 9470). Anything else is a plain no. */
function refusalOf(
  route: CompiledRoute,
  { identity, live }: Proved,
  unmet: readonly Unmet[],
  context: RequestContext,
): Refusal {
  const stepUp = route.stepUp(identity, context)
  if (stepUp === undefined) return forbid(route, identity, unmet)
  const wish = { route: route.index, reason: 'step_up', ...stepUp } as const
  return live === undefined ? { kind: 'challenge', ...wish } : { kind: 'login', ...wish, provider: identity.provider }
}

function forbid(route: CompiledRoute, identity: Identity, unmet: readonly Unmet[]): Forbid {
  const scopes = unmet.some(({ requirement }) => requirement === 'scopes') ? route.scopes : undefined
  return {
    kind: 'forbid',
    route: route.index,
    reason: 'requirement_unmet',
    identity,
    unmet,
    ...(scopes !== undefined && { scopes }),
  }
}
