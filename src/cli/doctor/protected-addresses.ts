/** Which addresses of a site have to be closed, and which are open by the file: what the doctor asks for. */
import type { Config, RouteConfig } from '../../config/config.ts'
import { GatewayError } from '../../core/errors.ts'
import { normaliseHost } from '../../core/target.ts'
import { targetFrom } from '../../http/request-reading.ts'
import { type CompiledRoute, compilePolicy, type Policy } from '../../policy/policy.ts'

export interface Site {
  /** The route of an address; undefined where none has it. */
  routeOf(url: URL): CompiledRoute | undefined
  /** Whether the file names the host at all. */
  knows(url: URL): boolean
  /** One address under each route of this host that has to be closed, the given one first. */
  closed(first: URL): readonly URL[]
  /** One address under each route that is open to everybody. */
  open(near: URL): readonly URL[]
}

/** Routes asked for; each costs a request. */
const mostAddresses = 12

export function siteOf(config: Config): Site {
  const policy = compilePolicy(
    config.routes,
    config.publicUrls.map(({ host }) => host),
  )
  const samples = (near: URL, isWanted: (route: CompiledRoute) => boolean): readonly URL[] =>
    config.routes
      .flatMap((route, index) => {
        const url = sampleOf(route, near)
        const found = url && routeOf(policy, url)
        return url !== undefined && found?.index === index && isWanted(found) ? [url] : []
      })
      .slice(0, mostAddresses)
  return {
    routeOf: (url) => routeOf(policy, url),
    knows: (url) => policy.candidates(url.host) !== undefined,
    closed: (first) => [
      first,
      ...samples(first, ({ access }) => access === 'restricted').filter(({ href }) => href !== first.href),
    ],
    open: (near) => samples(near, ({ access }) => access !== 'restricted'),
  }
}

function routeOf(policy: Policy, { protocol, host, pathname, search }: URL): CompiledRoute | undefined {
  try {
    const question = { method: 'GET', scheme: protocol.slice(0, -1), host, uri: pathname + search }
    const match = policy.match(targetFrom(question, { readHost: normaliseHost }))
    return match.kind === 'route' ? match.route : undefined
  } catch (error) {
    if (error instanceof GatewayError) return undefined
    throw error
  }
}

/** The beginning of a prefix, or the exact path. */
function sampleOf({ path, host, methods }: RouteConfig, near: URL): URL | undefined {
  if (host !== undefined && host !== near.host) return undefined
  if (methods !== undefined && !methods.includes('GET')) return undefined
  return new URL(path.replace(/\*$/, ''), near)
}
