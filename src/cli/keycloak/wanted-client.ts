/** What the client of a provider has to be at Keycloak, computed from the config file alone. */
import type { Config, ProviderConfig } from '../../config/config.ts'
import { urisToRegister } from '../../config/uris.ts'
import type { Secret } from '../../core/secret.ts'
import { publicJwkOf } from '../../oidc/client-auth.ts'

export interface WantedClient {
  readonly clientId: string
  readonly settings: readonly Setting[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly webOrigins: readonly string[]
  readonly backchannelLogout: {
    readonly url: string
    /** Under any other host it is ours as well: the name of a service in the cluster, say. */
    readonly path: string
    /** Was asked for by name, so no other will do. */
    readonly isAsked: boolean
  }
  /** Undefined where the client has none, or Keycloak's own is to stay. */
  readonly secret: Secret | undefined
  /** Public half of the key of `private_key_jwt`, as a JWK. */
  readonly key: Readonly<Record<string, unknown>> | undefined
}

/** One setting of the client, with the words of the admin console. */
export interface Setting {
  readonly place: 'field' | 'attribute'
  readonly key: string
  readonly label: string
  readonly value: string | boolean
  /** The switch of the console says the opposite. */
  readonly isInverse?: true
  /** Left alone where it is not set at all: Keycloak's default is what we want. */
  readonly isDefault?: true
  /** A client that Keycloak makes has it by itself. It is sent all the same, and told to nobody. */
  readonly isUsual?: true
}

export interface ClientWishes {
  /** Undefined: under `publicUrl`. */
  readonly backchannelUrl: string | undefined
  readonly secret: Secret | undefined
}

export function wantedClient(config: Config, provider: ProviderConfig, wishes: ClientWishes): WantedClient {
  const uris = urisToRegister(config).find((one) => one.provider === provider.name)!
  const { clientAuth } = provider
  return {
    clientId: provider.clientId,
    settings: [...authenticationOf(provider), ...flows, ...attributes],
    redirectUris: uris.redirectUris,
    postLogoutRedirectUris: uris.postLogoutRedirectUris,
    webOrigins: config.publicUrls.map(({ origin }) => origin),
    backchannelLogout: {
      url: wishes.backchannelUrl ?? uris.backchannelLogoutUri,
      path: new URL(uris.backchannelLogoutUri).pathname,
      isAsked: wishes.backchannelUrl !== undefined,
    },
    secret: wishes.secret,
    key: clientAuth.method === 'private_key_jwt' ? publicJwkOf(clientAuth) : undefined,
  }
}

const field = (key: string, label: string, value: boolean): Setting => ({ place: 'field', key, label, value })
const attribute = (key: string, label: string, value: string): Setting => ({ place: 'attribute', key, label, value })

function authenticationOf({ clientAuth: { method } }: ProviderConfig): readonly Setting[] {
  const authentication: Setting = {
    ...field('publicClient', 'Client authentication', method === 'none'),
    isInverse: true,
  }
  if (method === 'none') return [authentication]
  const isKey = method === 'private_key_jwt'
  const authenticator: Setting = {
    place: 'field',
    key: 'clientAuthenticatorType',
    label: 'Client Authenticator',
    value: isKey ? 'client-jwt' : 'client-secret',
  }
  if (isKey) return [authentication, authenticator]
  const usual: Setting = { ...authenticator, isUsual: true }
  const allowed = attribute('client.secret.authentication.allowed.method', 'Allowed authentication method', method)
  return [authentication, usual, { ...allowed, isDefault: true }]
}

const flows: readonly Setting[] = [
  { ...field('enabled', 'Enabled', true), isUsual: true },
  { ...field('bearerOnly', 'Bearer only', false), isDefault: true },
  { ...field('standardFlowEnabled', 'Standard flow', true), isUsual: true },
  { ...field('implicitFlowEnabled', 'Implicit flow', false), isUsual: true },
  field('directAccessGrantsEnabled', 'Direct access grants', false),
  // On, the console's default and not the API's, keeps Keycloak from calling the back-channel address.
  { ...field('frontchannelLogout', 'Front channel logout', false), isUsual: true },
]

const attributes: readonly Setting[] = [
  attribute('pkce.code.challenge.method', 'PKCE Method', 'S256'),
  // Without it the logout token names the person alone, and all of their sessions end.
  { ...attribute('backchannel.logout.session.required', 'Backchannel logout session required', 'true'), isUsual: true },
  { ...attribute('use.refresh.tokens', 'Use refresh tokens', 'true'), isDefault: true },
  {
    ...attribute('exclude.issuer.from.auth.response', 'Exclude Issuer From Authentication Response', 'false'),
    isDefault: true,
  },
  {
    ...attribute('require.pushed.authorization.requests', 'Pushed authorization request required', 'false'),
    isDefault: true,
  },
  { ...attribute('dpop.bound.access.tokens', 'Require DPoP bound tokens', 'false'), isDefault: true },
]
