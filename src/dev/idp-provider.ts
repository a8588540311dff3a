import { randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import type Provider from 'oidc-provider'
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { loggedOutPage, logoutPage, problemPage } from './idp-login.ts'
import type { IdpRecords } from './idp-records.ts'
import { claimsOf, type IdpAccounts } from './idp-users.ts'

/** A client of the embedded provider. */
export interface IdpClient {
  readonly clientId: string
  /** Left out: a public client. */
  readonly clientSecret?: string
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  readonly backchannelLogoutUri?: string
  /** Access tokens are JWTs for this audience. Left out: opaque ones, good for userinfo. */
  readonly audience?: string
  /** May use the client_credentials grant, for API calls without a person. */
  readonly machine?: boolean
}

/** Seconds. May be changed while the provider runs; what is already issued keeps its own. */
export interface Lifetimes {
  accessToken: number
  refreshToken: number
  idToken: number
  session: number
}

export interface ProviderParts {
  readonly accounts: IdpAccounts
  readonly records: IdpRecords
  readonly lifetimes: Lifetimes
  readonly signingKey: JWK
}

const scopes = 'openid profile email offline_access'
const resourceOf = (audience: string): string => `urn:doorward:${audience}`

/** Registration metadata (RFC 7591) of a client. */
export function clientMetadata(client: IdpClient): ClientMetadata {
  return {
    client_id: client.clientId,
    ...(client.clientSecret === undefined
      ? { token_endpoint_auth_method: 'none' as const }
      : { client_secret: client.clientSecret }),
    redirect_uris: [...(client.redirectUris ?? [])],
    response_types: client.redirectUris === undefined ? [] : ['code'],
    post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
    grant_types: [
      ...(client.redirectUris === undefined ? [] : ['authorization_code', 'refresh_token']),
      ...(client.machine ? ['client_credentials'] : []),
    ],
    require_auth_time: true,
    ...(client.audience !== undefined && { audience: client.audience }),
    ...(client.backchannelLogoutUri !== undefined && {
      backchannel_logout_uri: client.backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
  }
}

/** How oidc-provider has to behave to look like a small Keycloak realm: PKCE, rotation, no consent, SSO cookie. */
export function providerConfiguration({ accounts, records, lifetimes, signingKey }: ProviderParts): Configuration {
  return {
    adapter: records.of,
    jwks: { keys: [signingKey] },
    cookies: { keys: [randomBytes(32).toString('hex')], names: { session: 'demo_idp_session' } },
    clientDefaults: { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    extraClientMetadata: { properties: ['audience'] },
    scopes: scopes.split(' '),
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'name', 'groups', 'realm_access', 'resource_access', ...moreClaims(accounts)],
      email: ['email', 'email_verified'],
      acr: null,
      sid: null,
      auth_time: null,
    },
    acrValues: ['1', 'silver', 'gold'],
    conformIdTokenClaims: false,
    clockTolerance: 0,
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    loadExistingGrant: grantEverything,
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    ttl: ttlOf(lifetimes),
    findAccount: (_context, subject) => {
      const user = accounts.bySubject(subject)
      return user && { accountId: subject, claims: () => claimsOf(user) }
    },
    extraTokenClaims: (_context, token) => {
      const user = 'accountId' in token ? accounts.bySubject(String(token.accountId)) : undefined
      return { azp: token.clientId, ...(user && claimsOf(user)) }
    },
    renderError: (context, { error, error_description }) => {
      context.type = 'html'
      context.body = String(problemPage(error, error_description))
    },
    // Logout tokens go to a gateway on loopback, which oidc-provider's own fetch refuses to reach.
    fetch: (url, { dispatcher: _guarded, ...options }: RequestInit & { dispatcher?: unknown } = {}) =>
      fetch(url, options),
    features: featuresOf(records),
  }
}

/** As Keycloak: the token endpoint says how long the refresh token is good for. */
export function sayRefreshLife(provider: Provider, lifetimes: Lifetimes): void {
  provider.use(async (context, next) => {
    await next()
    const { body } = context
    if (typeof body !== 'object' || body === null || !('refresh_token' in body)) return
    context.body = { ...body, refresh_expires_in: lifetimes.refreshToken }
  })
}

const moreClaims = (accounts: IdpAccounts): string[] => accounts.all().flatMap((user) => Object.keys(user.more ?? {}))

function featuresOf(records: IdpRecords): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    revocation: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (context) => leave(context, records),
      postLogoutSuccessSource: (context) => {
        context.body = String(loggedOutPage())
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_context, client, oneOf) =>
        oneOf?.[0] ?? (typeof client.audience === 'string' ? resourceOf(client.audience) : []),
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        scope: scopes,
        audience: resource.replace('urn:doorward:', ''),
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  }
}

function ttlOf(lifetimes: Lifetimes): Configuration['ttl'] {
  return {
    AccessToken: () => lifetimes.accessToken,
    ClientCredentials: () => lifetimes.accessToken,
    RefreshToken: () => lifetimes.refreshToken,
    IdToken: () => lifetimes.idToken,
    Session: () => lifetimes.session,
    Grant: () => lifetimes.session,
    Interaction: 3600,
    AuthorizationCode: 60,
  }
}

/** No consent page: every client here is ours. */
async function grantEverything(context: KoaContextWithOIDC) {
  const { client, session, provider } = context.oidc
  if (client === undefined || session?.accountId === undefined) return undefined
  const known = session.grantIdFor(client.clientId)
  const found = known === undefined ? undefined : await provider.Grant.find(known)
  if (found !== undefined) return found
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope(scopes)
  if (typeof client.audience === 'string') grant.addResourceScope(resourceOf(client.audience), scopes)
  await grant.save()
  return grant
}

/** As Keycloak: with a valid id_token_hint logout needs no question, without one it asks. */
async function leave(context: KoaContextWithOIDC, records: IdpRecords): Promise<void> {
  const { session, params, provider } = context.oidc
  if (session === undefined) return
  const secret = String((session.state as { secret?: unknown } | undefined)?.secret)
  const hinted = typeof params?.id_token_hint === 'string' && typeof params.post_logout_redirect_uri === 'string'
  if (!hinted) {
    context.body = String(logoutPage(context.oidc.urlFor('end_session_confirm'), secret))
    return
  }
  for (const { grantId } of Object.values(session.authorizations ?? {})) if (grantId) records.revokeGrant(grantId)
  await session.destroy()
  context.cookies.set(cookieName(provider), null)
  const target = new URL(String(params.post_logout_redirect_uri))
  if (typeof params.state === 'string') target.searchParams.set('state', params.state)
  context.redirect(target.href)
}

const cookieName = (provider: Provider): string => provider.cookieName('session')
