/** What the provider says of itself, with the pins of the file on top. */
import type { ProviderConfig } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createDiscovery, type IssuerMetadata } from '../issuer/discovery.ts'
import type { KeptState } from '../issuer/kept.ts'
import type { Transport } from '../issuer/transport.ts'

export interface ProviderMetadata {
  /** @throws GatewayError `provider_unreachable` */
  get(): Promise<IssuerMetadata>
  known(): IssuerMetadata | undefined
  /** Undefined where discovery is not asked. */
  state(): KeptState | undefined
}

export function createMetadata(config: ProviderConfig, transport: Transport, clock: Clock, log: Log): ProviderMetadata {
  const withPins = (found: IssuerMetadata | undefined): IssuerMetadata => ({
    issuer: config.issuer,
    issParameterSupported: false,
    ...found,
    ...pinsOf(config),
  })
  const check = (found: IssuerMetadata): void => refuseUnusable(withPins(found))
  const discovery = isWhollyPinned(config)
    ? undefined
    : createDiscovery({ issuer: config.issuer, transport, clock, log, check })
  return {
    get: async () => withPins(await discovery?.get()),
    known: () => {
      const found = discovery?.peek()
      return discovery !== undefined && found === undefined ? undefined : withPins(found)
    },
    state: () => discovery?.state(),
  }
}

function isWhollyPinned({ endpoints, jwksUrl }: ProviderConfig): boolean {
  return [endpoints.authorization, endpoints.token, endpoints.userinfo, endpoints.endSession, jwksUrl].every(
    (url) => url !== undefined,
  )
}

type Pins = Partial<
  Pick<
    IssuerMetadata,
    'authorizationEndpoint' | 'tokenEndpoint' | 'userinfoEndpoint' | 'endSessionEndpoint' | 'jwksUrl'
  >
>

function pinsOf({ endpoints, jwksUrl }: ProviderConfig): Pins {
  return {
    ...(endpoints.authorization && { authorizationEndpoint: endpoints.authorization }),
    ...(endpoints.token && { tokenEndpoint: endpoints.token }),
    ...(endpoints.userinfo && { userinfoEndpoint: endpoints.userinfo }),
    ...(endpoints.endSession && { endSessionEndpoint: endpoints.endSession }),
    ...(jwksUrl && { jwksUrl }),
  }
}

/** A provider we could not log in with is said to be so at once, not at the first callback. */
function refuseUnusable(metadata: IssuerMetadata): void {
  const methods = metadata.codeChallengeMethods
  if (methods !== undefined && !methods.includes('S256')) {
    const offered = methods.join(', ') || 'none'
    throw unusable(`the provider offers PKCE ${offered} and not S256 (RFC 9700 2.1.1); turn S256 on there`)
  }
  for (const [name, pin] of endpointsNeeded) {
    if (metadata[name] === undefined) throw unusable(`discovery names no ${pin}; set it in the file`)
  }
}

const endpointsNeeded = [
  ['authorizationEndpoint', 'authorization_endpoint'],
  ['tokenEndpoint', 'token_endpoint'],
  ['jwksUrl', 'jwks_uri'],
] as const

const unusable = (detail: string): GatewayError => new GatewayError('provider_unreachable', detail)
