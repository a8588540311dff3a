import { isLoopback } from '../core/urls.ts'
import type { ListenAddress } from './config.ts'
import type { Problems } from './problems.ts'

export interface Listeners {
  readonly publicUrl: readonly URL[]
  readonly allowInsecureHttp: boolean
  readonly listen: ListenAddress
  readonly forwardAuth: ListenAddress | undefined
  readonly extAuthz: ListenAddress | undefined
  readonly operations: ListenAddress | undefined
}

/** publicUrl and the listeners fit together. */
export function checkListeners(top: Listeners, problems: Problems): void {
  checkPublicUrls(top, problems)
  const { listen, forwardAuth, extAuthz, operations } = top
  const named = Object.entries({ listen, forwardAuth, extAuthz, operations })
  named.forEach(([key, address], index) => {
    const taken = named.slice(0, index).find(([, earlier]) => overlap(earlier, address))
    if (taken === undefined || !problems.clean([key], [taken[0]])) return
    problems.add([key], `is the same address as ${taken[0]}`, 'give each listener a port of its own')
  })
}

function overlap(a: ListenAddress | undefined, b: ListenAddress | undefined): boolean {
  if (a === undefined || b === undefined || a.port !== b.port || a.port === 0) return false
  const everywhere = (host: string) => host === '0.0.0.0' || host === '::'
  return a.host === b.host || everywhere(a.host) || everywhere(b.host)
}

function checkPublicUrls({ publicUrl, allowInsecureHttp }: Listeners, problems: Problems): void {
  const at = ['publicUrl']
  const schemes = new Set(publicUrl.map(({ protocol }) => protocol))
  if (schemes.size > 1)
    problems.add(at, 'mixes http and https', 'cookies differ between the two: write all of them as https')
  for (const url of publicUrl) {
    if (url.protocol === 'https:' || isLoopback(url) || allowInsecureHttp) continue
    const message = `${url.origin} is plain http off this machine: everybody on the way could read sessions`
    problems.add(at, message, `write https://${url.host}, or allowInsecureHttp: true`)
  }
  const origins = publicUrl.map(({ origin }) => origin)
  const twice = origins.find((origin, index) => origins.indexOf(origin) < index)
  if (twice !== undefined) problems.add(at, `names ${twice} twice`, 'remove one of the two')
}
