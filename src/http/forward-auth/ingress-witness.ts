/** What the forward-auth listener learned of the ingress that asks it, for /status: addresses and names alone. */
import type { IncomingMessage } from 'node:http'
import type { Networks } from '../../core/addresses.ts'
import type { Target } from '../../core/target.ts'
import type { ForwardAuthAdapter } from './adapter.ts'

export interface IngressStatus {
  /** Questions of trusted peers since the start. */
  readonly asked: number
  /** The trusted peers, in the order they first came; the first few of them. */
  readonly peers: readonly string[]
  /** The last peer that was turned away and is still not trusted, and how often anybody was. */
  readonly untrusted?: { readonly peer: string; readonly times: number }
  /** The newest question came by a host of publicUrl: out of the cluster and in again, as browsers do. */
  readonly viaPublicHost?: ViaPublicHost
}

export interface ViaPublicHost {
  /** Name of the endpoint that was asked: `nginx`. */
  readonly gateway: string
  readonly host: string
  readonly cloudflare: boolean
}

export interface IngressWitness {
  stranger(peer: string): void
  /** @param via undefined where the question came the short way, or its Host cannot tell */
  asked(peer: string, via: ViaPublicHost | undefined): void
  /** @param trusted of the moment: who was let in since is no stranger any more */
  report(trusted: Networks): IngressStatus
}

/** Peers remembered; an ingress has a handful of pods. */
const mostPeers = 16

export function createIngressWitness(): IngressWitness {
  const peers = new Set<string>()
  let asked = 0
  let refused = 0
  let stranger: string | undefined
  let newestVia: ViaPublicHost | undefined
  return {
    stranger(peer) {
      refused++
      stranger = peer
    },
    asked(peer, via) {
      asked++
      newestVia = via
      if (peers.size < mostPeers) peers.add(peer)
    },
    report: (trusted) => ({
      asked,
      peers: [...peers],
      ...(stranger !== undefined && !trusted.has(stranger) && { untrusted: { peer: stranger, times: refused } }),
      ...(newestVia !== undefined && { viaPublicHost: newestVia }),
    }),
  }
}

/**
 * Tells a question that came the way browsers do: its Host, which should be the address the gateway has for us, is a
 * host of publicUrl. nginx may have been told to send the site's own Host; then a second proxy on the way gives it away.
 */
export function viaPublicHost(
  { name: gateway, sendsOriginalHost }: ForwardAuthAdapter,
  { headers }: IncomingMessage,
  target: Target,
  publicUrls: readonly URL[],
): ViaPublicHost | undefined {
  const host = headers.host?.toLowerCase()
  if (sendsOriginalHost || host === undefined || !publicUrls.some((url) => url.host === host)) return undefined
  if (gateway === 'nginx' && host === target.host && headers['x-forwarded-host'] === undefined) return undefined
  return { gateway, host, cloudflare: headers['cf-ray'] !== undefined }
}
