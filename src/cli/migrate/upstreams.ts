/** Upstreams of oauth2-proxy, by the path each is asked at. */
import { type Address, readAddress } from './address.ts'
import type { Draft } from './draft.ts'
import type { Settings } from './given.ts'
import { ourDuration, readGoDuration } from './go-duration.ts'
import type { Alpha, AlphaUpstream } from './read-alpha.ts'

export interface Upstream {
  /** `/*`, `/api/*`, or `/exact`. */
  readonly path: string
  /** Address, or the status of a fixed answer. */
  readonly to: string | number
  /** Further keys of `upstream`. */
  readonly keys: Readonly<Record<string, string>>
  readonly websockets: boolean
  readonly place: string
}

/** The most specific path first, as their router has it. */
export function upstreamsOf(draft: Draft, settings: Settings, alpha: Alpha | undefined): Upstream[] {
  const written = alpha === undefined ? ofFlags(draft, settings) : alpha.upstreams.flatMap((one) => ofAlpha(draft, one))
  const found = written.filter(({ path }, index) => written.findIndex((other) => other.path === path) === index)
  return found.sort((a, b) => b.path.length - a.path.length)
}

/** Nothing to send requests to but a yes: an ingress asks, and keeps the traffic. */
export const isForwardAuthAlone = (upstreams: readonly Upstream[]): boolean =>
  upstreams.every(({ to, path }) => path === '/*' && typeof to === 'number' && to >= 200 && to < 300)

function ofFlags(draft: Draft, settings: Settings): Upstream[] {
  const place = settings.place('upstream')
  const keys = keysOf(settings.on('pass-host-header', true), settings.text('upstream-timeout'))
  const websockets = settings.on('proxy-websockets', true)
  return settings.list('upstream').flatMap((written): Upstream[] => {
    const code = /^static:\/\/(\d{3})/.exec(written)?.[1]
    if (code !== undefined) return [{ path: '/*', to: Number(code), keys: {}, websockets: true, place }]
    if (written.startsWith('unix:')) {
      return [{ path: '/*', to: `unix:${written.replace(/^unix:(?:\/\/)?/, '')}`, keys, websockets, place }]
    }
    // The usual way to say "nothing": there, an ingress asks and keeps the traffic.
    if (written === 'file:///dev/null') return []
    const url = readAddress(written)
    if (url === undefined) {
      draft.leave({
        place,
        why: written.startsWith('file:') ? 'files are served by a web server of yours' : 'is no http address',
      })
      return []
    }
    return [{ path: routePath(url.pathname), to: plain(draft, url, place), keys, websockets, place }]
  })
}

function ofAlpha(draft: Draft, one: AlphaUpstream): Upstream[] {
  const { place } = one
  const keys = keysOf(one.passHostHeader, one.timeout)
  if (!one.path.startsWith('/')) {
    const prefix = prefixOf(one)
    if (prefix === undefined) {
      draft.leave({ place, why: 'its path is a regular expression: write a route for each path that is meant' })
      return []
    }
    const url = readAddress(one.uri)
    if (url === undefined) return []
    const strip: Readonly<Record<string, string>> = prefix === '' ? {} : { stripPrefix: prefix }
    return [
      {
        path: `${prefix}/*`,
        to: plain(draft, url, place),
        keys: { ...keys, ...strip },
        websockets: one.proxyWebSockets,
        place,
      },
    ]
  }
  const path = routePath(one.path)
  if (one.staticCode !== undefined) return [{ path, to: one.staticCode, keys: {}, websockets: true, place }]
  if (one.uri.startsWith('unix:')) {
    return [
      { path, to: `unix:${one.uri.replace(/^unix:(?:\/\/)?/, '')}`, keys, websockets: one.proxyWebSockets, place },
    ]
  }
  const url = readAddress(one.uri)
  if (url === undefined) {
    draft.leave({
      place,
      why: one.uri.startsWith('file:') ? 'files are served by a web server of yours' : 'is no http address',
    })
    return []
  }
  if (one.rewriteTarget !== undefined)
    draft.leave({ place, why: 'rewriteTarget: use stripPrefix and addPrefix of the upstream' })
  return [{ path, to: plain(draft, url, place), keys, websockets: one.proxyWebSockets, place }]
}

/** `^/app/(.*)$` rewritten to `/$1` takes a prefix off. */
function prefixOf({ path, rewriteTarget }: AlphaUpstream): string | undefined {
  if (rewriteTarget !== '/$1') return undefined
  return /^\^((?:\/[\w.~-]+)*)\/\(\.\*\)\$?$/.exec(path)?.[1]
}

function keysOf(passHost: boolean, timeout: string | undefined): Readonly<Record<string, string>> {
  const time = timeout === undefined ? undefined : readGoDuration(timeout)
  return {
    ...(!passHost && { host: 'rewrite' }),
    ...(time !== undefined && time > 0 && { headersTimeout: ourDuration(time) }),
  }
}

/** `/` and `/api/` hold what is below; `/api` is exact, as in their router. */
const routePath = (pathname: string): string => (pathname.endsWith('/') ? `${pathname}*` : pathname)

/** The path chose the route and reaches the upstream as it came, so it is no part of the address. */
function plain(draft: Draft, { origin, hasCredentials }: Address, place: string): string {
  if (hasCredentials) draft.leave({ place, why: 'its user and password: write basicAuth at the route' })
  return origin
}
