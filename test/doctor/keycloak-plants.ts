/** What is planted on a real Keycloak, and the names the doctor has to give it. */
import { generateKeyPairSync } from 'node:crypto'
import type { FindingName } from '../../src/cli/doctor/finding-names.ts'
import { clientSecret, type Realm, type RealmOptions } from '../support/keycloak-realm.ts'
import type { Keys } from './patient.ts'

export interface Plant {
  /** Keycloak 26.0 does not have the setting. */
  readonly isLater?: true
  readonly fault: string
  /** What has to be found, sorted; nothing else may be. */
  readonly names: readonly FindingName[]
  /** The planting: further keys and attributes of the client, further keys of the realm. */
  readonly client?: Keys
  readonly attributes?: Readonly<Record<string, string>>
  readonly settings?: Keys
  /** In place of the redirect URI that is right, made of the gateway's address. */
  readonly redirectUris?: (gatewayUrl: string) => readonly string[]
  /** A client scope to make first. */
  readonly scope?: Keys
  /** Changes the person, who is a new one then. */
  readonly user?: (realm: Realm, id: string) => Promise<void>
  readonly ownRealm?: RealmOptions
  readonly provider?: (realm: Realm) => Keys
  readonly keys?: (realm: Realm) => Keys
  /** Who is named on the command line besides: nobody, unless said. */
  readonly eyes?: 'person' | 'admin' | 'all'
  /** What is told besides, though nothing is wrong with it. */
  readonly notes?: readonly FindingName[]
  readonly cause?: RegExp
  readonly fix?: RegExp
}

const byAddress = (url: string) => url.replace('//localhost:', '//127.0.0.1:')

/** Shorter than Keycloak's own 30 minutes and 10 hours. */
export const session = { idle: '15m', lifetime: '8h' }
const builtIn = ['profile', 'email', 'roles', 'web-origins', 'basic', 'acr']

export const plants: readonly Plant[] = [
  { fault: 'nothing', names: [] },
  { fault: 'nothing, with a person', names: [], eyes: 'person' },
  { fault: 'nothing, with an administrator', names: [], eyes: 'admin' },
  { fault: 'nothing, with both', names: [], eyes: 'all' },
  {
    fault: 'an alias of the host in the file',
    names: ['issuer-mismatch'],
    ownRealm: { frontendUrl: true },
    provider: ({ issuer }) => ({ issuer: byAddress(issuer) }),
    cause: /^invalid issuer: expected http:\/\/127\.0\.0\.1:.*, got http:\/\/localhost:.* is an alias/,
    fix: /^write `issuer: http:\/\/localhost:\d+\/realms\/[\w-]+`$/,
  },
  {
    fault: 'nothing, with an internalUrl',
    names: [],
    ownRealm: { frontendUrl: true },
    provider: ({ issuer }) => ({ internalUrl: new URL(byAddress(issuer)).origin }),
  },
  {
    fault: 'an internalUrl, and a Keycloak that repeats whatever name it is asked by',
    names: ['issuer-mismatch'],
    provider: ({ issuer }) => ({ internalUrl: new URL(byAddress(issuer)).origin }),
    fix: /--hostname=http:\/\/localhost/,
  },
  {
    fault: 'a slash at the end of the issuer',
    names: ['issuer-mismatch'],
    provider: ({ issuer }) => ({ issuer: `${issuer}/` }),
    cause: /differ by the slash at the end alone/,
  },
  {
    fault: '/auth in front of the realm',
    names: ['issuer-base-path'],
    provider: ({ issuer }) => ({ issuer: issuer.replace('/realms/', '/auth/realms/') }),
    fix: /write `issuer: http:\/\/localhost:\d+\/realms\//,
  },
  {
    fault: 'another realm',
    names: ['wrong-realm'],
    provider: ({ issuer }) => ({ issuer: issuer.replace(/[^/]+$/, 'nobody-made-it') }),
  },
  { fault: 'another client', names: ['client-unknown'], provider: () => ({ clientId: 'nobody' }) },
  { fault: 'a client that signs nobody in', names: ['client-bearer-only'], client: { bearerOnly: true } },
  { fault: 'a disabled client', names: ['client-disabled'], client: { enabled: false } },
  {
    fault: 'another secret',
    names: ['wrong-client-secret'],
    provider: () => ({ clientSecret: 'another-secret-than-keycloak-has' }),
  },
  {
    fault: 'a line break at the end of the secret in Keycloak',
    names: ['client-secret-newline'],
    client: { secret: `${clientSecret}\n` },
  },
  {
    fault: 'the asterisks of an export as secret',
    names: ['client-secret-placeholder'],
    provider: () => ({ clientSecret: '**********' }),
  },
  {
    fault: 'a key that is not registered',
    names: ['client-key-refused'],
    client: { clientAuthenticatorType: 'client-jwt' },
    provider: () => ({ clientSecret: undefined, clientAuth: { method: 'private_key_jwt', key: privateKey() } }),
  },
  {
    fault: 'ID tokens that are signed by the secret',
    names: ['sign-in-failed'],
    eyes: 'person',
    attributes: { 'id.token.signed.response.alg': 'HS256' },
  },
  {
    fault: 'no secret in the file',
    names: ['client-secret-missing'],
    provider: () => ({ clientSecret: undefined }),
  },
  {
    fault: 'a redirect URI that is not registered',
    names: ['redirect-uri-not-registered'],
    client: { redirectUris: ['http://127.0.0.1:1/_doorward/callback'] },
  },
  {
    fault: 'a post-logout URI that is not registered',
    names: ['post-logout-uri-not-registered'],
    attributes: { 'post.logout.redirect.uris': 'http://127.0.0.1:1/' },
  },
  {
    fault: 'PKCE by another method',
    names: ['pkce-refused'],
    attributes: { 'pkce.code.challenge.method': 'plain' },
  },
  { fault: 'the standard flow is off', names: ['flow-disabled'], client: { standardFlowEnabled: false } },
  {
    fault: 'pushed requests alone',
    names: ['par-required'],
    attributes: { 'require.pushed.authorization.requests': 'true' },
  },
  {
    fault: 'no iss in answers',
    names: ['iss-missing'],
    attributes: { 'exclude.issuer.from.auth.response': 'true' },
  },
  {
    fault: 'built-in client scopes are lost',
    names: ['client-scopes-lost'],
    client: { defaultClientScopes: ['profile', 'email'] },
    cause: /roles, web-origins, basic, acr/,
  },
  {
    fault: 'nothing but web-origins is left out',
    names: [],
    client: { defaultClientScopes: builtIn.filter((scope) => scope !== 'web-origins') },
  },
  {
    fault: 'offline_access is asked for, and the client does not have it',
    names: ['offline-access-refused'],
    client: { defaultClientScopes: builtIn, optionalClientScopes: ['phone'] },
    provider: () => ({ scopes: ['openid', 'profile', 'email', 'offline_access'] }),
  },
  {
    fault: 'a scope nobody knows',
    names: ['scope-refused'],
    provider: () => ({ scopes: ['openid', 'profile', 'email', 'groups'] }),
  },
  { fault: 'HTTPS required', names: ['https-required'], settings: { sslRequired: 'all' } },
  {
    fault: 'another realm, with an administrator',
    names: ['wrong-realm'],
    eyes: 'admin',
    provider: ({ issuer }) => ({ issuer: issuer.replace('/doorward', '/Doorward') }),
    cause: /it has .*doorward-/,
    fix: /write `issuer: .*\/doorward-/,
  },
  { fault: 'no groups mapper', names: ['groups-mapper-missing'], eyes: 'admin', client: { protocolMappers: [] } },
  ...(['person', 'admin'] as const).flatMap((eyes): Plant[] => [
    {
      fault: `no refresh token, seen by ${eyes}`,
      names: ['refresh-token-missing'],
      eyes,
      attributes: { 'use.refresh.tokens': 'false' },
    },
    {
      fault: `short access tokens, seen by ${eyes}`,
      names: ['token-lifetime-short'],
      eyes,
      settings: { accessTokenLifespan: 20 },
    },
    {
      fault: `refreshEvery longer than the tokens, seen by ${eyes}`,
      names: ['token-lifetime-short'],
      eyes,
      keys: () => ({ session: { ...session, refreshEvery: '10m' } }),
    },
    {
      fault: `a short idle end at Keycloak, seen by ${eyes}`,
      names: ['sso-idle-short'],
      eyes,
      settings: { ssoSessionIdleTimeout: 300 },
    },
  ]),
  {
    fault: 'a short end of sessions at Keycloak',
    names: ['sso-max-short'],
    eyes: 'admin',
    settings: { ssoSessionMaxLifespan: 3600 },
  },
  {
    fault: 'offline_access, and the person lacks its role',
    names: ['offline-access-refused'],
    eyes: 'person',
    user: takeAllRoles,
    provider: () => ({ scopes: ['openid', 'profile', 'email', 'offline_access'] }),
  },
  {
    fault: 'an audience nobody has a mapper for',
    names: ['audience-mapper-missing'],
    eyes: 'admin',
    keys: ({ issuer }: Realm) => ({ bearer: [{ issuer, audience: 'nobody-has-it' }] }),
  },
  {
    fault: 'an e-mail address nobody verified',
    names: ['email-unverified'],
    eyes: 'person',
    user: (realm, id) => updateUser(realm, id, { emailVerified: false }),
  },
  {
    fault: 'no e-mail address',
    names: ['email-missing'],
    eyes: 'person',
    user: (realm, id) => updateUser(realm, id, { email: '', emailVerified: false }),
  },
  {
    fault: 'no back-channel logout URL',
    names: ['backchannel-logout-missing'],
    eyes: 'admin',
    attributes: { 'backchannel.logout.url': '' },
  },
  {
    fault: 'front-channel logout instead',
    names: ['backchannel-logout-missing'],
    eyes: 'admin',
    client: { frontchannelLogout: true },
  },
  {
    fault: 'the back-channel logout URL of another application',
    names: ['backchannel-logout-other-url'],
    eyes: 'admin',
    attributes: { 'backchannel.logout.url': 'https://other.example.com/_doorward/backchannel-logout' },
  },
]

const privateKey = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })

/** As for people who were imported without `default-roles-<realm>`. */
async function takeAllRoles(realm: Realm, id: string): Promise<void> {
  const address = `/users/${id}/role-mappings/realm`
  await realm.admin('DELETE', address, await realm.admin('GET', address))
}

async function updateUser(realm: Realm, id: string, change: Keys): Promise<void> {
  await realm.admin('PUT', `/users/${id}`, { ...((await realm.admin('GET', `/users/${id}`)) as Keys), ...change })
}

/** Keycloak insists on an address at the first login unless the profile of the realm says otherwise. */
export async function letGoWithoutEmail(realm: Realm): Promise<void> {
  const profile = (await realm.admin('GET', '/users/profile')) as { attributes: Record<string, unknown>[] }
  const attributes = profile.attributes.map(({ required, ...rest }) =>
    rest.name === 'email' ? rest : { ...rest, required },
  )
  await realm.admin('PUT', '/users/profile', { ...profile, attributes })
}
