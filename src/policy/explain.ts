/** Why a request would be let in or not, as a report. Asks the compiled policy itself; it has no rules of its own. */
import { GatewayError } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import type { Target } from '../core/target.ts'
import type { RouteIndex } from '../core/verdict.ts'
import type { Check, RequestContext } from './check.ts'
import { type CompiledRoute, type Match, type Policy, rulePath } from './policy.ts'
import { acceptsMethod, type Candidate } from './route-table.ts'
import type { StepUp } from './step-up.ts'

export interface Explanation {
  readonly host: string
  readonly method: string
  /** As rules read it. */
  readonly path: string
  /** Every route of the file up to the one that decided, in order. */
  readonly considered: readonly Consideration[]
  readonly outcome: 'route' | 'no_route' | 'host_unknown' | 'method_not_allowed' | 'ambiguous_path'
  /** Why the path was refused, or which methods would have been accepted. */
  readonly detail?: string
  readonly route?: { readonly index: RouteIndex; readonly name: string; readonly access: CompiledRoute['access'] }
  /** Undefined where no route was chosen, or nobody is asked to be anybody (`public`). */
  readonly mayPass?: boolean
  readonly provider?: ProviderFinding
  readonly requirements: readonly RequirementFinding[]
  /** What a new sign-in would have to bring, where that would help. */
  readonly stepUp?: StepUp
}

export interface Consideration {
  readonly route: string
  readonly index: RouteIndex
  readonly chosen: boolean
  readonly why: string
}

export interface ProviderFinding {
  readonly wanted: string
  readonly seen: string
  readonly met: boolean
}

export interface RequirementFinding {
  /** The key of the file. */
  readonly requirement: string
  /** Its values in the file. */
  readonly rule: string
  /** What the person reads. */
  readonly wanted: string
  readonly met: 'yes' | 'no' | 'unknown'
  /** The value it was judged by. */
  readonly seen: string
  /** The ways of an `anyOf`; the one list of a `not`. */
  readonly parts?: readonly (readonly RequirementFinding[])[]
}

/** @param identity undefined: an anonymous request */
export function explain(
  policy: Policy,
  target: Target,
  identity: Identity | undefined,
  context: RequestContext,
): Explanation {
  const found = matchOf(policy, target)
  const about = { host: target.host, method: target.method, path: target.decodedPath }
  const considered = consider(policy, target, found)
  if (found instanceof GatewayError) {
    return { ...about, considered, outcome: 'ambiguous_path', detail: found.message, requirements: [] }
  }
  if (found.kind === 'unrouted') {
    const detail = found.methods === undefined ? {} : { detail: `methods: ${found.methods.join(', ')}` }
    return { ...about, considered, outcome: found.reason, ...detail, requirements: [] }
  }
  return { ...about, considered, outcome: 'route', ...judgeRoute(found.route, identity, context) }
}

function matchOf(policy: Policy, target: Target): Match | GatewayError {
  try {
    return policy.match(target)
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'ambiguous_path') return error
    throw error
  }
}

function consider(policy: Policy, target: Target, found: Match | GatewayError): readonly Consideration[] {
  const candidates = policy.candidates(target.host) ?? []
  const all = policy.routes.map((route) => {
    const candidate = candidates.find(({ match }) => match.route === route)
    const chosen = candidate !== undefined && candidate.match === found
    return { route: route.name, index: route.index, chosen, why: whyOf(candidate, target) }
  })
  const end = all.findIndex(({ chosen }) => chosen)
  return end === -1 ? all : all.slice(0, end + 1)
}

function whyOf(candidate: Candidate | undefined, target: Target): string {
  if (candidate === undefined) return `does not serve the host ${target.host}`
  const { route } = candidate.match
  if (!candidate.matchesPath(rulePath(target))) return `the path does not match ${route.path}`
  if (acceptsMethod(candidate, target.method)) return `the path matches ${route.path}`
  return `the path matches ${route.path}, but not the method: it lists ${[...(candidate.methods ?? [])].join(', ')}`
}

type RouteJudgement = Pick<Explanation, 'route' | 'mayPass' | 'provider' | 'requirements' | 'stepUp'>

function judgeRoute(route: CompiledRoute, identity: Identity | undefined, context: RequestContext): RouteJudgement {
  const { index, name, access, checks } = route
  const about = { route: { index, name, access } }
  if (access !== 'restricted') return { ...about, mayPass: true, requirements: [] }
  if (identity === undefined) return { ...about, mayPass: false, requirements: [] }
  const provider =
    route.provider === undefined
      ? undefined
      : { wanted: route.provider, seen: identity.provider, met: route.provider === identity.provider }
  const unmet = route.unmet(identity, context)
  const stepUp = unmet.length === 0 ? undefined : route.stepUp(identity, context)
  return {
    ...about,
    mayPass: unmet.length === 0 && provider?.met !== false,
    ...(provider !== undefined && { provider }),
    requirements: checks.map((check) => findingOf(check, identity, context)),
    ...(stepUp !== undefined && { stepUp }),
  }
}

function findingOf(check: Check, identity: Identity, context: RequestContext): RequirementFinding {
  const met = check.judge(identity, context)
  return {
    ...check.unmet,
    rule: check.rule,
    met: met === undefined ? 'unknown' : met ? 'yes' : 'no',
    seen: check.seen(identity, context),
    ...(check.parts !== undefined && {
      parts: check.parts.map((part) => part.map((inner) => findingOf(inner, identity, context))),
    }),
  }
}
