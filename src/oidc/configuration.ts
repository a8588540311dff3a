/** Makes openid-client's view of a provider: our wire, our keys, our clock. */
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
import { asymmetricAlgorithms, isAsymmetric } from '../core/algorithms.ts'
import type { Clock } from '../core/clock.ts'
import type { IssuerMetadata } from '../issuer/discovery.ts'
import type { KeySet } from '../issuer/key-set.ts'
import type { Transport } from '../issuer/transport.ts'
import { withUsableExpiry } from './token-response.ts'

export interface ConfigurationParts {
  readonly config: ProviderConfig
  readonly found: IssuerMetadata
  readonly keySet: KeySet
  readonly transport: Transport
  readonly clock: Clock
  readonly auth: ConstructorParameters<typeof Configuration>[3]
}

/** Made per login: it is cheap, and takes the clock, the newest metadata and the newest keys with it. */
export function configurationFor(parts: ConfigurationParts): Configuration {
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
    (algorithms ?? asymmetricAlgorithms).filter(isAsymmetric)
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
