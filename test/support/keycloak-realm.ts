/** Realms as an operator would make them for this gateway, one per test, deleted with it. */
import type { TestContext } from 'node:test'
import { freePort } from './free-port.ts'
import type { ConfigKeys, GatewayOptions, World } from './gateway.ts'
import type { Keycloak } from './keycloak.ts'

type Json = Readonly<Record<string, unknown>>

export interface RealmUser {
  readonly username: string
  readonly groups?: readonly string[]
  readonly realmRoles?: readonly string[]
}

export interface RealmOptions {
  /** Further keys of the realm. */
  readonly realm?: Json
  /** Further keys of the gateway's client. */
  readonly client?: Json
  /** Further attributes of the gateway's client. */
  readonly attributes?: Readonly<Record<string, string>>
  readonly users?: readonly RealmUser[]
  /** Keycloak says this name to whoever asks, as with a fixed hostname; otherwise it repeats the one it was asked by. */
  readonly frontendUrl?: true
}

export interface Realm {
  readonly name: string
  readonly issuer: string
  /** The address the gateway of the test will have; its redirect URIs are registered. */
  readonly gatewayUrl: string
  /** Makes `startGateway` use this realm: spread it into its options. */
  readonly gateway: Pick<GatewayOptions, 'port' | 'config'>
  /** The keys of the config file in it. */
  configOf(world: World): ConfigKeys
  /** A call of the Admin API below this realm. */
  admin(method: string, address: string, body?: unknown): Promise<unknown>
  userId(username: string): Promise<string>
  /** Ids (`sid`) of what the user has open. */
  sessionsOf(username: string): Promise<readonly string[]>
  leaveGroup(username: string, groupPath: string): Promise<void>
  /** Changes the gateway's client. */
  updateClient(change: (client: Record<string, unknown>) => Json): Promise<void>
  /** The password grant of an API client. */
  token(client: string, username: string): Promise<string>
}

export const clientId = 'gateway'
export const clientSecret = 'the-secret-of-a-real-client-0123'
/** Known to the API client `robot`; `stranger` has no audience mapper. */
export const apiAudience = 'gateway-api'

const people: readonly RealmUser[] = [
  { username: 'ada', groups: ['/platform/admins'], realmRoles: ['platform-admin'] },
  { username: 'bob', groups: ['/platform/devs'] },
]

export async function makeRealm(t: TestContext, keycloak: Keycloak, options: RealmOptions = {}): Promise<Realm> {
  const port = await freePort()
  const gatewayUrl = `http://127.0.0.1:${port}`
  const name = `doorward-${process.pid}-${port}`
  const issuer = `${keycloak.url}/realms/${name}`
  await keycloak.admin('POST', '/realms', realmOf(name, keycloak, gatewayUrl, options))
  // A test may have deleted it, and what fails here keeps later hooks from closing their servers.
  t.after(() => keycloak.admin('DELETE', `/realms/${name}`).catch(() => undefined))

  const admin: Realm['admin'] = (method, address, body) => keycloak.admin(method, `/realms/${name}${address}`, body)
  const first = async (address: string) => {
    const [found] = (await admin('GET', address)) as Record<string, unknown>[]
    if (found === undefined) throw new Error(`nothing at ${address}`)
    return found
  }
  const idOf = async (address: string) => String((await first(address)).id)
  const userId = (username: string) => idOf(`/users?exact=true&username=${username}`)
  const configOf = ({ application }: World) => ({
    provider: { kind: 'keycloak', issuer, clientId, clientSecret },
    bearer: [{ issuer, audience: apiAudience }],
    routes: routesTo(application),
  })
  return {
    name,
    issuer,
    gatewayUrl,
    gateway: { port, config: configOf },
    configOf,
    admin,
    userId,
    async sessionsOf(username) {
      const sessions = (await admin('GET', `/users/${await userId(username)}/sessions`)) as { id: string }[]
      return sessions.map(({ id }) => id)
    },
    async leaveGroup(username, groupPath) {
      const { id } = (await admin('GET', `/group-by-path${groupPath}`)) as { id: string }
      await admin('DELETE', `/users/${await userId(username)}/groups/${id}`)
    },
    async updateClient(change) {
      const client = await first(`/clients?clientId=${clientId}`)
      await admin('PUT', `/clients/${client.id}`, { ...client, ...change(client) })
    },
    async token(client, username) {
      const body = new URLSearchParams({ grant_type: 'password', client_id: client, username, password: username })
      const answer = await fetch(`${issuer}/protocol/openid-connect/token`, { method: 'POST', body })
      const { access_token } = (await answer.json()) as { access_token?: string }
      if (access_token === undefined) throw new Error(`no token for ${username}: ${answer.status}`)
      return access_token
    },
  }
}

const routesTo = (upstream: string) => [
  { path: '/admins/*', allow: { groups: ['/platform/admins'] }, upstream },
  { path: '/roles/*', allow: { realmRoles: ['platform-admin'] }, upstream },
  { path: '/api/*', allow: 'signedIn', accept: ['session', 'bearer'], upstream },
  { allow: 'signedIn', upstream },
]

function realmOf(name: string, { url }: Keycloak, gatewayUrl: string, options: RealmOptions): Json {
  return {
    realm: name,
    enabled: true,
    accessTokenLifespan: 300,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    roles: { realm: [{ name: 'platform-admin' }] },
    groups: [{ name: 'platform', subGroups: [{ name: 'admins' }, { name: 'devs' }] }],
    clients: [gatewayClient(gatewayUrl, options), apiClient('robot', [audienceMapper]), apiClient('stranger', [])],
    users: (options.users ?? people).map((user) => userOf(name, user)),
    ...(options.frontendUrl && { attributes: { frontendUrl: url } }),
    ...options.realm,
  }
}

/** Every attribute is a text; what is left out has surprising defaults (no `sid` in logout tokens, for one). */
function gatewayClient(gatewayUrl: string, { client, attributes }: RealmOptions): Json {
  const own = `${gatewayUrl}/_doorward`
  return {
    clientId,
    secret: clientSecret,
    protocol: 'openid-connect',
    publicClient: false,
    standardFlowEnabled: true,
    directAccessGrantsEnabled: false,
    frontchannelLogout: false,
    redirectUris: [`${own}/callback`],
    protocolMappers: [groupsMapper],
    attributes: {
      'pkce.code.challenge.method': 'S256',
      'post.logout.redirect.uris': `${own}/signed-out`,
      'backchannel.logout.url': `${own}/backchannel-logout`,
      'backchannel.logout.session.required': 'true',
      ...attributes,
    },
    ...client,
  }
}

const apiClient = (id: string, protocolMappers: readonly Json[]): Json => ({
  clientId: id,
  protocol: 'openid-connect',
  publicClient: true,
  standardFlowEnabled: false,
  directAccessGrantsEnabled: true,
  protocolMappers,
})

const groupsMapper = {
  name: 'groups',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-group-membership-mapper',
  config: { 'claim.name': 'groups', 'full.path': 'true', 'id.token.claim': 'true', 'userinfo.token.claim': 'true' },
}

const audienceMapper = {
  name: 'audience',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-audience-mapper',
  config: { 'included.custom.audience': apiAudience, 'access.token.claim': 'true' },
}

/** Without all three names and a verified address Keycloak asks for them at the first login. */
const userOf = (realm: string, { username, groups = [], realmRoles = [] }: RealmUser): Json => ({
  username,
  enabled: true,
  email: `${username}@example.test`,
  emailVerified: true,
  firstName: username,
  lastName: 'Example',
  credentials: [{ type: 'password', value: username, temporary: false }],
  realmRoles: [`default-roles-${realm}`, ...realmRoles],
  groups,
})
