/** Which route a host, path and method choose. The order of the file decides; the first match wins. */
import type { RouteConfig } from '../config/config.ts'
import type { Unrouted } from '../core/verdict.ts'
import { foldWidely } from './case.ts'
import type { CompiledRoute } from './route.ts'

export interface RouteMatch {
  readonly kind: 'route'
  readonly route: CompiledRoute
}

/** A route on the list of one host. */
export interface Candidate {
  readonly match: RouteMatch
  /** Undefined: every method. GET brings HEAD along. */
  readonly methods: ReadonlySet<string> | undefined
  /** Adjacent routes with the same host and path share it: they split the path by method. */
  readonly family: number
  readonly methodNotAllowed: Unrouted
  matchesPath(path: RulePath): boolean
}

/** A decoded path in the two forms that rules compare. */
export interface RulePath {
  readonly exact: string
  readonly folded: string
}

const noRoute: Unrouted = Object.freeze({ kind: 'unrouted', reason: 'no_route' })

/** The path of a route decides before its method does, so that a method never slips through to a weaker route. */
export function choose(candidates: readonly Candidate[], path: RulePath, method: string): RouteMatch | Unrouted {
  let refused: Candidate | undefined
  for (const candidate of candidates) {
    if (refused !== undefined && candidate.family !== refused.family) break
    if (!candidate.matchesPath(path)) continue
    if (acceptsMethod(candidate, method)) return candidate.match
    refused = candidate
  }
  return refused === undefined ? noRoute : refused.methodNotAllowed
}

export const acceptsMethod = ({ methods }: Candidate, method: string): boolean =>
  methods === undefined || methods.has(method)

/** One list per host: those of publicUrl and those that routes name. */
export function buildTable(
  routes: readonly RouteConfig[],
  compiled: readonly CompiledRoute[],
  publicHosts: readonly string[],
): ReadonlyMap<string, readonly Candidate[]> {
  const families = familiesOf(routes)
  const candidates = routes.map((route, index) => candidateOf(route, compiled[index]!, families, index, routes))
  const hosts = new Set([...publicHosts, ...routes.flatMap((route) => route.host ?? [])])
  return new Map(
    [...hosts].map((host) => [host, candidates.filter((_, index) => serves(routes[index]!, host, publicHosts))]),
  )
}

const serves = (route: RouteConfig, host: string, publicHosts: readonly string[]): boolean =>
  route.host === undefined ? publicHosts.includes(host) : route.host === host

/** By route: the number of the run of neighbours it belongs to. */
function familiesOf(routes: readonly RouteConfig[]): readonly number[] {
  let family = 0
  return routes.map((route, index) => {
    const before = routes[index - 1]
    if (before !== undefined && (before.host !== route.host || before.path !== route.path)) family++
    return family
  })
}

function candidateOf(
  route: RouteConfig,
  compiled: CompiledRoute,
  families: readonly number[],
  index: number,
  routes: readonly RouteConfig[],
): Candidate {
  const family = families[index]!
  const siblings = routes.filter((_, other) => families[other] === family)
  const methods = [...new Set(siblings.flatMap((sibling) => [...(methodsOf(sibling) ?? [])]))]
  return {
    match: Object.freeze({ kind: 'route', route: compiled }),
    methods: methodsOf(route),
    family,
    methodNotAllowed: Object.freeze({ kind: 'unrouted', reason: 'method_not_allowed', methods }),
    matchesPath: pathMatcher(route.path, compiled.access === 'restricted'),
  }
}

const methodsOf = ({ methods }: RouteConfig): ReadonlySet<string> | undefined =>
  methods === undefined ? undefined : new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)

/**
 * What restricts is matched without case, because many upstreams do not mind it (`/ADMIN`); what opens is
 * matched to the letter. `/admin/*` holds `/admin`, and not `/administrator`.
 */
function pathMatcher(pattern: string, restricts: boolean): (path: RulePath) => boolean {
  const form = restricts ? 'folded' : 'exact'
  const written = restricts ? foldWidely(pattern) : pattern
  if (written === '/*') return () => true
  if (!written.endsWith('/*')) return (path) => path[form] === written
  const base = written.slice(0, -2)
  const below = `${base}/`
  return (path) => path[form] === base || path[form].startsWith(below)
}
