/** Owns the wire and the keys of one bearer issuer: one of each, however many entries name it alike. */
import type { BearerConfig } from '../config/bearer-config.ts'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createDiscovery } from '../issuer/discovery.ts'
import type { KeptState } from '../issuer/kept.ts'
import { createKeySet, createPinnedKeySet, type KeySet } from '../issuer/key-set.ts'
import { openTransport, type Transport } from '../issuer/transport.ts'

export interface BearerIssuer {
  readonly keySet: KeySet
  readonly transport: Transport
  /** @throws GatewayError `provider_unreachable` */
  userinfoEndpoint(): Promise<URL | undefined>
  state(): KeptState
  close(): Promise<void>
}

export interface BearerIssuerWorld {
  readonly clock: Clock
  readonly log: Log
  readonly allowInsecureHttp: boolean
}

export function openBearerIssuer(entry: BearerConfig, world: BearerIssuerWorld): BearerIssuer {
  const { clock, log, allowInsecureHttp } = world
  const transport = openTransport({ ...entry, allowInsecureHttp })
  const discovery = createDiscovery({ issuer: entry.issuer, transport, clock, log })
  const locate = async (): Promise<URL> => {
    const url = entry.jwksUrl ?? (await discovery.get()).jwksUrl
    if (url === undefined) throw new GatewayError('provider_unreachable', 'discovery names no jwks_uri; set jwksUrl')
    return url
  }
  const keySet =
    entry.keys === undefined ? createKeySet(locate, transport, clock, log) : createPinnedKeySet(entry.keys, clock)
  return {
    keySet,
    transport,
    userinfoEndpoint: async () => (await discovery.get()).userinfoEndpoint,
    state: keySet.state,
    close: transport.close,
  }
}
