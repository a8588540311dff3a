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
import { createMetadata } from './metadata.ts'
import { createWarmUp } from './warm-up.ts'

export interface ProviderWorld {
  readonly clock: Clock
  readonly log: Log
  /** Plain http off loopback was accepted in writing. */
  readonly allowInsecureHttp: boolean
}

/** An OpenID provider. `beginLogin`, `finishLogin`, `refreshTokens` and `endSessionUrl` take it. */
export interface Provider {
  readonly config: ProviderConfig
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
  /** For /readyz. */
  state(): KeptState
  /** Starts trying in the background until discovery and keys are there. Never throws, holds no process open. */
  warmUp(): void
  /** For `form-action` of our pages' CSP: Chromium blocks the redirect after a form post otherwise. */
  authorizationOrigin(): string | undefined
  endSessionOrigin(): string | undefined
  close(): Promise<void>
}

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
  return {
    config,
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
}
