/** The rules of the file, compiled: which route a request belongs to. What a route asks for is in route.ts. */
import type { RouteConfig } from '../config/config.ts'
import { GatewayError } from '../core/errors.ts'
import { decodeLeniently, decodingRounds, type Target } from '../core/target.ts'
import type { Unrouted } from '../core/verdict.ts'
import { foldWidely } from './case.ts'
import { type CompiledRoute, compileRoute } from './route.ts'
import { buildTable, type Candidate, choose, type RouteMatch, type RulePath } from './route-table.ts'

export type { RequestContext } from './check.ts'
export type { CompiledRoute } from './route.ts'
export type { StepUp } from './step-up.ts'

export type Match = RouteMatch | Unrouted

export interface Policy {
  /** In the order of the file; `routes[n].index === n`. */
  readonly routes: readonly CompiledRoute[]
  /**
   * @param method instead of the target's: a CORS preflight belongs to the route of the method it announces
   * @throws GatewayError `ambiguous_path` where the path holds an encoded slash that the route does not keep, or
   * belongs to another route for an upstream that decodes it again, or cuts it at an encoded `?` or `#`
   */
  match(target: Target, method?: string): Match
  /** The routes that a host can reach, for `explain`; undefined where the host is unknown. */
  candidates(host: string): readonly Candidate[] | undefined
}

const hostUnknown: Unrouted = Object.freeze({ kind: 'unrouted', reason: 'host_unknown' })

/**
 * @param publicHosts hosts of publicUrl as `Target.host` spells them
 * @throws RangeError where a route would require nothing or names something that is no network
 */
export function compilePolicy(routes: readonly RouteConfig[], publicHosts: readonly string[]): Policy {
  const compiled = routes.map(compileRoute)
  const table = buildTable(routes, compiled, publicHosts)
  return {
    routes: compiled,
    candidates: (host) => table.get(host),
    match(target, method = target.method) {
      const candidates = table.get(target.host)
      if (candidates === undefined) return hostUnknown
      const match = choose(candidates, rulePath(target), method)
      if (target.encodedSlash && match.kind === 'route') refuseAmbiguousSlash(match, candidates, target, method)
      if (target.path !== target.decodedPath) refuseOtherReadings(match, candidates, target, method)
      return match
    },
  }
}

/** A path without anything encoded is ASCII, where lower case is all there is to folding. */
export function rulePath({ path, decodedPath }: Target): RulePath {
  return { exact: decodedPath, folded: path === decodedPath ? path.toLowerCase() : foldWidely(decodedPath) }
}

/**
 * `/admin%3f` and `/%2561dmin` are names of their own for us, and `/admin` for an upstream that decodes before it cuts,
 * or decodes twice. They pass where all readings are the business of one route.
 */
function refuseOtherReadings(
  match: Match,
  candidates: readonly Candidate[],
  { decodedPath }: Target,
  method: string,
): void {
  const route = routeOf(match)
  for (const reading of otherReadings(decodedPath, isWrittenWithSlash(route))) {
    const other = choose(candidates, { exact: reading, folded: foldWidely(reading) }, method)
    if (routeOf(other) !== route) {
      throw new GatewayError('ambiguous_path', 'the path would belong to another route if it were decoded once more')
    }
  }
}

/** @param keepsSlash an encoded slash stays one, as the route says */
function* otherReadings(decodedPath: string, keepsSlash: boolean): Generator<string> {
  let layer = decodedPath
  for (let round = 0; round <= decodingRounds; round++) {
    const end = layer.search(/[?#]/)
    if (end !== -1) yield layer.slice(0, end)
    if (round > 0) yield layer
    const next = decodeLeniently(keepsSlash ? layer.replace(/%2f/gi, '%252F') : layer)
    if (next === layer) return
    layer = next
  }
}

const isWrittenWithSlash = (route: CompiledRoute | undefined): boolean => route !== undefined && /%2f/i.test(route.path)

const routeOf = (match: Match): CompiledRoute | undefined => (match.kind === 'route' ? match.route : undefined)

/**
 * An encoded slash passes where the route keeps it, and only if an upstream that decodes it would not end up
 * under the rules of another route: `/admin%2Fusers` is not to be served by the route after `/admin/*`. A route
 * whose own path is written with `%2F` means it.
 */
function refuseAmbiguousSlash(
  match: RouteMatch,
  candidates: readonly Candidate[],
  target: Target,
  method: string,
): void {
  const { route } = match
  if (route.encodedSlashes !== 'keep' || route.access === 'public') {
    throw new GatewayError('ambiguous_path', `the path holds an encoded slash; route ${route.name} does not keep them`)
  }
  if (isWrittenWithSlash(route)) return
  const decoded = target.decodedPath.replace(/%(?:25)*2f/gi, '/')
  if (choose(candidates, { exact: decoded, folded: foldWidely(decoded) }, method) !== match) {
    throw new GatewayError('ambiguous_path', 'the path would belong to another route with its encoded slash decoded')
  }
}
