/** The room's door: one OpenID provider, discovered lazily, and the wire to it. */
import {
  allowInsecureRequests,
  Configuration,
  type CustomFetchOptions,
  clockSkew,
  customFetch,
  enableNonRepudiationChecks,
  type ServerMetadata,
  setJwksCache,
} from 'openid-client'
import type { ProviderConfig } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createDiscovery, type IssuerMetadata } from '../issuer/discovery.ts'
import type { KeptState } from '../issuer/kept.ts'
import { asymmetricAlgorithms, createKeySet, type KeySet } from '../issuer/key-set.ts'
import { openTransport, type Transport } from '../issuer/transport.ts'
import { createClientAuth } from './client-auth.ts'
import { withUsableExpiry } from './token-response.ts'
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
  const discovery = isWhollyPinned(config) ? undefined : createDiscovery(config.issuer, transport, clock)
  const pinned = pinsOf(config)
  const known = (): IssuerMetadata | undefined => {
    if (discovery === undefined) return { issuer: config.issuer, issParameterSupported: false, ...pinned }
    const found = discovery.peek()
    return found === undefined ? undefined : { ...found, ...pinned }
  }
  if (config.endpoints.authorization !== undefined && !transport.allows(config.endpoints.authorization)) {
    throw new Error(`the authorization endpoint of provider ${config.name} is plain http; use https`)
  }
  const metadata = async (): Promise<IssuerMetadata> => {
    const found = discovery === undefined ? undefined : await discovery.get()
    return checked({ issuer: config.issuer, issParameterSupported: false, ...found, ...pinned })
  }
  const keySet = createKeySet(async () => (await metadata()).jwksUrl!, transport, clock)
  const warmth = createWarmUp(config.name, log, async () => {
    await metadata()
    await keySet.keys()
  })
  const state = (): KeptState => {
    const found = discovery?.state()
    return found?.ready === false ? found : keySet.state()
  }
  return {
    config,
    clock,
    log,
    keySet,
    metadata,
    knownMetadata: known,
    state,
    configuration: async () => {
      const found = await metadata()
      return configurationFor({ config, found, keySet, transport, clock, auth: await clientAuth() })
    },
    warmUp: warmth.start,
    authorizationOrigin: () => known()?.authorizationEndpoint?.origin,
    endSessionOrigin: () => known()?.endSessionEndpoint?.origin,
    close: async () => {
      warmth.stop()
      await transport.close()
    },
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
function checked(metadata: IssuerMetadata): IssuerMetadata {
  const methods = metadata.codeChallengeMethods
  if (methods !== undefined && !methods.includes('S256')) {
    const offered = methods.join(', ') || 'none'
    throw unusable(`the provider offers PKCE ${offered} and not S256 (RFC 9700 2.1.1); turn S256 on there`)
  }
  for (const [name, pin] of endpointsNeeded) {
    if (metadata[name] === undefined) throw unusable(`discovery names no ${pin}; set it in the file`)
  }
  return metadata
}

const endpointsNeeded = [
  ['authorizationEndpoint', 'authorization_endpoint'],
  ['tokenEndpoint', 'token_endpoint'],
  ['jwksUrl', 'jwks_uri'],
] as const

const unusable = (detail: string): GatewayError => new GatewayError('provider_unreachable', detail)

interface ConfigurationParts {
  readonly config: ProviderConfig
  readonly found: IssuerMetadata
  readonly keySet: KeySet
  readonly transport: Transport
  readonly clock: Clock
  readonly auth: ConstructorParameters<typeof Configuration>[3]
}

/** Made per login: it is cheap, and takes the clock, the newest metadata and the newest keys with it. */
function configurationFor(parts: ConfigurationParts): Configuration {
  const { config, found, keySet, clock, auth } = parts
  const skew = Math.round((clock.now() - Date.now()) / 1000)
  const configuration = new Configuration(serverMetadata(found), config.clientId, { [clockSkew]: skew }, auth)
  configuration.timeout = config.timeout / 1000
  configuration[customFetch] = (url, options) => fetchFor(parts, url, options)
  // The transport judges each address (https, loopback, internalUrl); the library knows of no internalUrl.
  allowInsecureRequests(configuration)
  enableNonRepudiationChecks(configuration)
  const keys = keySet.known()
  // Old enough for the library to ask again for an unknown key: the key set decides whether that is a fetch.
  if (keys !== undefined) setJwksCache(configuration, { jwks: keys, uat: Math.floor(Date.now() / 1000) - 61 })
  return configuration
}

async function fetchFor(parts: ConfigurationParts, url: string, options: CustomFetchOptions): Promise<Response> {
  if (url === parts.found.jwksUrl?.href) return Response.json(await freshKeys(parts.keySet))
  const { body } = options
  const response = await parts.transport.fetch(url, {
    method: options.method,
    headers: options.headers,
    ...((typeof body === 'string' || body instanceof URLSearchParams) && { body: body.toString() }),
    ...(options.signal !== undefined && { signal: options.signal }),
  })
  return url === parts.found.tokenEndpoint?.href ? withUsableExpiry(response) : response
}

const freshKeys = (keySet: KeySet) => (keySet.known() === undefined ? keySet.keys() : keySet.keysAfterUnknown())

function serverMetadata(found: IssuerMetadata): ServerMetadata {
  const endpoint = <K extends string>(name: K, url: URL | undefined) => (url === undefined ? {} : { [name]: url.href })
  const asymmetric = (algorithms: readonly string[] | undefined) =>
    (algorithms ?? asymmetricAlgorithms).filter((algorithm) => asymmetricAlgorithms.includes(algorithm))
  return {
    issuer: found.issuer,
    ...endpoint('authorization_endpoint', found.authorizationEndpoint),
    ...endpoint('token_endpoint', found.tokenEndpoint),
    ...endpoint('userinfo_endpoint', found.userinfoEndpoint),
    ...endpoint('end_session_endpoint', found.endSessionEndpoint),
    ...endpoint('jwks_uri', found.jwksUrl),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: found.issParameterSupported,
    id_token_signing_alg_values_supported: asymmetric(found.idTokenAlgorithms),
    userinfo_signing_alg_values_supported: asymmetric(found.userinfoAlgorithms),
  }
}
