/** The room's door: one OpenID provider, discovered lazily, and the wire to it. */
import type { Configuration } from 'openid-client'
import type { ProviderConfig } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { IssuerMetadata } from '../issuer/discovery.ts'
import type { KeptState } from '../issuer/kept.ts'
import { createKeySet, type KeySet } from '../issuer/key-set.ts'
import { openTransport } from '../issuer/transport.ts'
import { createClientAuth } from './client-auth.ts'
import { configurationFor } from './configuration.ts'
import { endSessionUrl } from './end-session.ts'
import type { IdentityProvider } from './identity-provider.ts'
import { beginLogin, finishLogin } from './login.ts'
import { createMetadata } from './metadata.ts'
import { refreshTokens } from './refresh.ts'
import { createWarmUp } from './warm-up.ts'

export interface ProviderWorld {
  readonly clock: Clock
  readonly log: Log
  /** Plain http off loopback was accepted in writing. */
  readonly allowInsecureHttp: boolean
}

/** An OpenID provider. `beginLogin`, `finishLogin`, `refreshTokens` and `endSessionUrl` take it. */
export interface Provider extends IdentityProvider {
  readonly clock: Clock
  readonly log: Log
  /** Its signing keys, for tokens openid-client does not look at. */
  readonly keySet: KeySet
  /**
   * What it says of itself, pins of the file applied; discovered first where that has not happened yet.
   * @throws GatewayError `provider_unreachable`
   */
  metadata(): Promise<IssuerMetadata>
  /** The same where it is known already. */
  knownMetadata(): IssuerMetadata | undefined
  /** openid-client's view of it at this moment. */
  configuration(): Promise<Configuration>
  /** Says whether discovery and keys are there. */
  state(): KeptState
  /** Starts trying in the background until they are. Never throws, holds no process open. */
  warmUp(): void
}

/** Of all that people sign in with, what has ID tokens, signing keys and logout tokens. */
export const speaksOpenId = (provider: IdentityProvider): provider is Provider => provider.config.kind !== 'github'

/**
 * Opens the provider without a single call: the gateway starts while it is down, or its CA file not there yet.
 * @throws Error where the private key of `private_key_jwt` cannot be read, or a pin is plain http off loopback
 */
export function openProvider(config: ProviderConfig, world: ProviderWorld): Provider {
  const { clock, log, allowInsecureHttp } = world
  const clientAuth = createClientAuth(config.clientAuth)
  const transport = openTransport({ ...config, allowInsecureHttp })
  const pin = config.endpoints.authorization
  if (pin !== undefined && !transport.allows(pin)) {
    throw new Error(`the authorization endpoint of provider ${config.name} is plain http; use https`)
  }
  const metadata = createMetadata(config, transport, clock, log)
  const keySet = createKeySet(async () => (await metadata.get()).jwksUrl!, transport, clock, log)
  const warmth = createWarmUp(config.name, log, async () => {
    await metadata.get()
    await keySet.keys()
  })
  const provider: Provider = {
    config,
    confirmEvery: undefined,
    beginLogin: (request) => beginLogin(provider, request),
    finishLogin: (currentUrl, transaction) => finishLogin(provider, currentUrl, transaction),
    renew: (session) => refreshTokens(provider, session),
    endSessionUrl: (request) => endSessionUrl(provider, request),
    clock,
    log,
    keySet,
    metadata: metadata.get,
    knownMetadata: metadata.known,
    state: () => {
      const found = metadata.state()
      return found?.ready === false ? found : keySet.state()
    },
    configuration: async () => {
      const found = await metadata.get()
      return configurationFor({ config, found, keySet, transport, clock, auth: await clientAuth() })
    },
    warmUp: warmth.start,
    authorizationOrigin: () => metadata.known()?.authorizationEndpoint?.origin,
    endSessionOrigin: () => metadata.known()?.endSessionEndpoint?.origin,
    close: async () => {
      warmth.stop()
      await transport.close()
    },
  }
  return provider
}
