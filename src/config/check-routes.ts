/** Checks between routes, and of routes with the rest of the file. */
import type { RouteConfig, SessionConfig } from './config.ts'
import type { KeyPath, Problems } from './problems.ts'
import type { ResolvedRoute } from './resolve-route.ts'
import { pathCovers } from './route-paths.ts'

export interface RouteChecks {
  readonly routes: readonly ResolvedRoute[]
  readonly publicUrls: readonly URL[]
  readonly basePath: string
  readonly forwardAuth: boolean
  readonly extAuthz: boolean
  readonly session: SessionConfig
}

export function checkRoutes(all: RouteChecks, problems: Problems): void {
  all.routes.forEach((route, index) => {
    checkDestination(route, all, problems)
    checkHost(route, all, problems)
    checkOpenness(route, problems)
    checkTemplates(route, all, problems)
    checkImpersonate(route, problems)
    checkOrder(all.routes.slice(0, index), route, all, problems)
    checkName(all.routes.slice(0, index), route, problems)
  })
}

const place = (path: KeyPath): string => `routes[${path[1]}]`

function checkDestination(
  { path, config }: ResolvedRoute,
  { basePath, forwardAuth, extAuthz }: RouteChecks,
  problems: Problems,
): void {
  const upstream = [...path, 'upstream']
  const respond = [...path, 'respond']
  if (!problems.clean(upstream, respond)) return
  if (config.upstream !== undefined && config.respond !== undefined) {
    problems.add(respond, 'stands beside upstream', 'keep one of the two')
  }
  const nowhere = config.upstream === undefined && config.respond === undefined
  if (nowhere && !forwardAuth && !extAuthz && problems.clean(['forwardAuth'], ['extAuthz'])) {
    const hint = 'add upstream: http://127.0.0.1:3000, or forwardAuth: 0.0.0.0:4181 if an ingress asks this gateway'
    problems.add(path, 'has no upstream, so there is nothing to let people through to', hint)
  }
  const own = pathCovers(`${basePath}/*`.toLowerCase(), config.path.toLowerCase())
  if (own && problems.clean([...path, 'path'])) {
    problems.add(
      [...path, 'path'],
      `is under ${basePath}, where the gateway's own pages are`,
      'choose another path, or another basePath',
    )
  }
  const { upstream: target } = config
  if (target?.stripPrefix !== undefined && !pathCovers(`${target.stripPrefix}/*`, config.path)) {
    problems.add(
      [...upstream, 'stripPrefix'],
      `is not how ${config.path} starts`,
      'write the prefix of the route, as it is spelled there',
    )
  }
}

function checkHost({ path, config }: ResolvedRoute, { publicUrls, session }: RouteChecks, problems: Problems): void {
  const { host, allow, accept } = config
  const at = [...path, 'host']
  if (host === undefined || !problems.clean(at, ['publicUrl'], ['session', 'cookieDomain'])) return
  if (allow === 'public' || !accept.includes('session')) return
  const named = publicUrls.some((url) => url.host === host)
  const shared = session.cookieDomain !== undefined && host.replace(/:\d+$/, '').endsWith(`.${session.cookieDomain}`)
  if (named || shared || host === session.cookieDomain) return
  const hint = `add https://${host} to publicUrl, or share one login with session.cookieDomain`
  problems.add(at, `nobody could sign in at ${host}: it is not a host of publicUrl`, hint)
}

function checkOpenness({ path, config }: ResolvedRoute, problems: Problems): void {
  const { allow, encodedSlashes, headers, impersonate, cors } = config
  if ((allow === 'public' || allow === 'optional') && encodedSlashes === 'keep') {
    const message = `is not for ${allow} routes: an upstream could read such a path as one that is not ${allow}`
    problems.add([...path, 'encodedSlashes'], message, 'remove it, or make the route restricting')
  }
  const authorization = headers.set.some(({ name }) => name.toLowerCase() === 'authorization')
  const ways = [headers.basicAuth !== undefined, headers.forwardAuthorization, authorization, impersonate].filter(
    Boolean,
  )
  if (ways.length > 1) {
    problems.add(
      path,
      'sets Authorization in more than one way',
      'keep one of basicAuth, forwardAuthorization, impersonate and headers.Authorization',
    )
  }
  if (config.path.includes('%2F') && encodedSlashes !== 'keep') {
    problems.add([...path, 'path'], 'holds %2F, and such paths are refused', 'add encodedSlashes: keep')
  }
  if (allow === 'public' && cors?.credentials) {
    problems.add([...path, 'cors', 'credentials'], 'a public route never reads the session', 'remove it')
  }
}

/** The cookie holds no access token and the ID token only where it fits: such a header would come and go. */
function checkTemplates({ path, config }: ResolvedRoute, { session }: RouteChecks, problems: Problems): void {
  if (session.store !== 'cookie') return
  for (const { name, parts } of config.headers.set) {
    const token = parts.find(({ kind }) => kind === 'accessToken' || kind === 'idToken')
    if (token === undefined) continue
    const message = `{${token.kind}} is not kept by session.store: cookie`
    problems.add([...path, 'headers', name], message, 'write session.store: memory or redis')
  }
}

function checkImpersonate({ path, config }: ResolvedRoute, problems: Problems): void {
  const { impersonate, allow, upstream } = config
  const at = [...path, 'impersonate']
  if (impersonate === undefined) return
  if (allow === 'public' || allow === 'optional') {
    problems.add(at, `is not for ${allow} routes: there may be nobody to speak for`, 'write allow: signedIn or more')
  }
  if (upstream === undefined && problems.clean([...path, 'upstream'])) {
    const hint = 'add upstream: https://kubernetes.default.svc; an ingress cannot be given a service account'
    problems.add(at, 'needs an upstream of this gateway', hint)
  }
}

function checkName(earlier: readonly ResolvedRoute[], { path, config }: ResolvedRoute, problems: Problems): void {
  const twin = earlier.find((other) => other.config.name === config.name)
  // Routes that share host and path are told apart by their methods, and judged by `checkOrder`.
  if (twin === undefined || sameMatch(twin.config, config)) return
  problems.add([...path, 'name'], `is also the name of ${place(twin.path)}`, 'give each route a name of its own')
}

const sameMatch = (a: RouteConfig, b: RouteConfig): boolean => a.host === b.host && a.path === b.path

/** The first route that host and path choose answers; a later one it covers would never be asked. */
function checkOrder(
  earlier: readonly ResolvedRoute[],
  route: ResolvedRoute,
  all: RouteChecks,
  problems: Problems,
): void {
  const { path, config } = route
  const relies = (where: KeyPath) => [
    [...where, 'host'],
    [...where, 'path'],
    [...where, 'methods'],
  ]
  const first = earlier.find((other) => covers(other.config, config, all.publicUrls))
  if (first === undefined || !problems.clean(...relies(path), ...relies(first.path), ['publicUrl'])) return
  if (!sameMatch(first.config, config)) {
    const message = `can never match: ${place(first.path)} (${first.config.path}) comes first and covers it`
    problems.add(path, message, `move it above ${place(first.path)}`)
    return
  }
  const group = earlier.filter((other) => sameMatch(other.config, config))
  const adjacent = earlier.length - earlier.indexOf(first) === group.length
  if (!adjacent) {
    const message = `has the host and path of ${place(first.path)}, with other routes between them`
    problems.add(path, message, 'put routes that split a path by methods next to each other')
    return
  }
  const taken = group.flatMap((other) => other.config.methods ?? ['*'])
  const left = (config.methods ?? []).filter(
    (method) => !taken.includes(method) && !(method === 'HEAD' && taken.includes('GET')),
  )
  if (taken.includes('*') || (config.methods !== undefined && left.length === 0)) {
    problems.add(
      path,
      `can never match: ${place(first.path)} has the same host, path and methods`,
      'remove one of them',
    )
  }
}

/** Whatever `narrow` would match, `wide` matches before it. Methods do not matter: they never fall through. */
function covers(wide: RouteConfig, narrow: RouteConfig, publicUrls: readonly URL[]): boolean {
  const hosts = narrow.host === undefined ? publicUrls.map(({ host }) => host) : [narrow.host]
  const wideHosts = wide.host === undefined ? publicUrls.map(({ host }) => host) : [wide.host]
  if (hosts.length === 0 || !hosts.every((host) => wideHosts.includes(host))) return false
  const exactCase = wide.allow === 'public' || wide.allow === 'optional'
  return exactCase ? pathCovers(wide.path, narrow.path) : pathCovers(wide.path.toLowerCase(), narrow.path.toLowerCase())
}
