/** Routes: what is public first, then what is behind the sign-in, the most specific path first. */
import { type Access, accessOf, type Rules } from './access.ts'
import { readAddress } from './address.ts'
import { type Draft, value } from './draft.ts'
import type { Settings } from './given.ts'
import { type OpenPath, readSkipRule, sortPaths } from './skip-routes.ts'
import type { Upstream } from './upstreams.ts'
import { type RouteHeaders, writeRouteHeaders } from './write-headers.ts'

export interface Routes {
  readonly upstreams: readonly Upstream[]
  readonly headers: RouteHeaders
  readonly forwardAuthAlone: boolean
  readonly basePath: string
}

interface Route {
  readonly path: string
  readonly host?: string
  readonly methods?: readonly string[]
  readonly allow: 'public' | 'as asked'
  readonly upstream: Upstream | undefined
  readonly place: string
}

export function writeRoutes(
  draft: Draft,
  settings: Settings,
  { upstreams, headers, forwardAuthAlone, basePath }: Routes,
): void {
  const access = accessOf(draft, settings)
  const hosts = hostsOf(draft, settings, forwardAuthAlone)
  const open = publicPaths(draft, settings, basePath)
  const targets = forwardAuthAlone ? [undefined] : upstreams
  const closed = targets.map(
    (upstream): Route => ({ path: upstream?.path ?? '/*', allow: 'as asked', upstream, place: upstream?.place ?? '' }),
  )
  const routes = onceEach([...open.flatMap((one) => routesOf(one, targets)), ...closed])
  const accept = settings.on('skip-jwt-bearer-tokens') && settings.text('provider') !== 'github'
  draft.gap()
  for (const remark of access.remarks) draft.remark(0, remark)
  draft.line(0, 'routes:')
  const written = hosts.flatMap((host) => routes.map((route) => (host === undefined ? route : { ...route, host })))
  const people = writtenOnce(access, written.filter(({ allow }) => allow !== 'public').length)
  for (const route of written) writeRoute(draft, route, { people, headers, accept })
  if (closed.length === 0) {
    draft.ask({
      place: settings.place('upstream'),
      asks: 'where do requests go?',
      hint: 'write a route with an upstream',
    })
    draft.line(1, '- allow: TODO')
  }
}

/** What several routes share stands at the first of them, so that it is decided in one place. */
interface Once {
  text(): string
  place(): string
}

function writtenOnce({ allow, place }: Access, times: number): Once {
  const whole = typeof allow === 'string' ? allow : rulesText(allow)
  const shares = times > 1 && allow !== 'signedIn'
  let count = 0
  return {
    text: () => (!shares ? whole : count++ === 0 ? `&people${whole.startsWith('\n') ? '' : ' '}${whole}` : '*people'),
    place: () => (shares && count > 1 ? '' : place),
  }
}

/** On one line where it fits, else one line for each way. */
function rulesText(rules: Rules): string {
  const flow = value(rules)
  const indent = '      '
  if (flow.length <= 90) return flow
  const lines = Object.entries(rules).flatMap(([key, item]) => {
    const ways = key === 'anyOf' && Array.isArray(item) ? item : undefined
    if (ways === undefined) return [`${indent}${key}: ${value(item)}`]
    return [`${indent}${key}:`, ...ways.map((way) => `${indent}  - ${value(way)}`)]
  })
  return `\n${lines.join('\n')}`
}

interface Written {
  readonly people: Once
  readonly headers: RouteHeaders
  readonly accept: boolean
}

function writeRoute(
  draft: Draft,
  { path, host, methods, allow, upstream, place }: Route,
  { people, headers, accept }: Written,
): void {
  const isPublic = allow === 'public'
  const lines: [string, string][] = [
    ...(host === undefined ? [] : [[`host: ${value(host)}`, 'whitelist-domain'] as [string, string]]),
    ...(path === '/*' ? [] : [[`path: ${value(path)}`, place] as [string, string]]),
    ...(methods === undefined ? [] : [[`methods: ${value(methods)}`, ''] as [string, string]]),
    [`allow: ${isPublic ? 'public' : people.text()}`, isPublic ? '' : people.place()],
    ...(accept && !isPublic ? [['accept: [session, bearer]', 'skip-jwt-bearer-tokens'] as [string, string]] : []),
    ...destination(upstream),
  ]
  for (const [index, [text, why]] of lines.entries()) draft.line(1, `${index === 0 ? '- ' : '  '}${text}`, why)
  if (!isPublic && (upstream === undefined || typeof upstream.to === 'string')) writeRouteHeaders(draft, headers)
}

function destination(upstream: Upstream | undefined): [string, string][] {
  if (upstream === undefined) return []
  const { to, keys, websockets, place } = upstream
  if (typeof to === 'number') return [[`respond: ${value({ status: to })}`, place]]
  const text = Object.keys(keys).length === 0 ? value(to) : value({ url: to, ...keys })
  return [
    [`upstream: ${text}`, place],
    ...(websockets ? [] : [['upgrades: []', 'proxy-websockets'] as [string, string]]),
  ]
}

/** The first that says what becomes of a path and its methods; a later one would never be asked. */
function onceEach(routes: readonly Route[]): Route[] {
  const settled = new Set<string>()
  const partly = new Set<string>()
  return routes.filter(({ path, methods }) => {
    if (settled.has(path) || (methods !== undefined && partly.has(path))) return false
    if (methods === undefined) settled.add(path)
    else partly.add(path)
    return true
  })
}

/** What is public, at each upstream that answers there. A method of its own leaves the others behind the sign-in. */
function routesOf(open: OpenPath, targets: readonly (Upstream | undefined)[]): Route[] {
  const below = targets.filter(
    (target) => target !== undefined && target.path !== open.path && covers(open.path, target.path),
  )
  const own = targets.find((target) => target === undefined || covers(target.path, open.path))
  const places = [
    ...below.map((upstream) => ({ path: upstream!.path, upstream })),
    ...(own === undefined && targets[0] !== undefined ? [] : [{ path: open.path, upstream: own }]),
  ]
  const place = open.wider ? `also ${open.path.slice(0, -2)} itself` : ''
  return places.flatMap(({ path, upstream }): Route[] => {
    if (open.methods === undefined) return [{ path, allow: 'public', upstream, place }]
    return [
      { path, methods: open.methods, allow: 'public', upstream, place },
      { path, allow: 'as asked', upstream, place: 'all other methods' },
    ]
  })
}

const covers = (wide: string, narrow: string): boolean =>
  wide === narrow || (wide.endsWith('/*') && `${narrow.replace(/\/\*$/, '')}/`.startsWith(wide.slice(0, -1)))

function publicPaths(draft: Draft, settings: Settings, basePath: string): OpenPath[] {
  const found = (['skip-auth-route', 'skip-auth-regex'] as const).flatMap((name) =>
    settings.list(name).flatMap((rule) => {
      const { paths, left } = readSkipRule(rule, name === 'skip-auth-route')
      if (left !== undefined) draft.leave({ place: settings.place(name), why: `${rule}: ${left}` })
      return paths
    }),
  )
  // Our own pages are open without a route.
  return sortPaths(found.filter(({ path }) => !covers(`${basePath}/*`, path)))
}

/** Hosts people may return to need a route of their own where one login serves them all. */
function hostsOf(draft: Draft, settings: Settings, forwardAuthAlone: boolean): (string | undefined)[] {
  const place = settings.place('whitelist-domain')
  const parent = settings.list('cookie-domain')[0]?.replace(/^\./, '')
  const own = readAddress(settings.text('redirect-url') ?? '')?.host
  const named = settings.list('whitelist-domain').filter((domain) => domain !== own)
  const exact = named.filter((domain) => /^[\w-][\w.-]*(?::\d+)?$/.test(domain))
  const shared = exact.filter((domain) => parent !== undefined && domain.replace(/:\d+$/, '').endsWith(`.${parent}`))
  const wide = named.filter((domain) => !exact.includes(domain))
  if (wide.length > 0) {
    const why = `hosts are named one by one: add a route with host for each application, and session.cookieDomain (${wide.join(', ')})`
    draft.leave({ place, why })
  }
  const foreign = exact.filter((domain) => !shared.includes(domain))
  if (foreign.length > 0) {
    draft.leave({
      place,
      why: `nobody is sent to ${foreign.join(', ')}: return addresses are ours; logout at the provider is built in`,
    })
  }
  if (shared.length > 0 && !forwardAuthAlone) {
    draft.leave({ place, why: `add a route with host and upstream for ${shared.join(', ')}` })
    return [undefined]
  }
  return [undefined, ...shared]
}
