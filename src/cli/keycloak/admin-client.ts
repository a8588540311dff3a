/** The Admin REST API of a Keycloak, for one realm: what `setup` and `doctor` read and write there. */
import { z } from 'zod'
import type { ProviderConfig } from '../../config/config.ts'
import type { Clock } from '../../core/clock.ts'
import { isJsonObject } from '../../core/strict-json.ts'
import { internalAddress } from '../../issuer/internal-url.ts'
import { openTransport } from '../../issuer/transport.ts'
import type { KeycloakAdminAccess } from './admin-access.ts'
import { type AdminRequest, type AdminWire, callAdmin, signIn, wrongAddressHint } from './admin-call.ts'
import { KeycloakAdminError } from './admin-error.ts'
import { createAdminToken } from './admin-token.ts'
import {
  type ClientRepresentation,
  clientSchema,
  type MapperRepresentation,
  type RealmRepresentation,
  realmSchema,
  type ScopeRepresentation,
  scopeSchema,
} from './representations.ts'

export interface KeycloakAdminOptions {
  readonly provider: Pick<ProviderConfig, 'issuer' | 'internalUrl' | 'caFile' | 'timeout'>
  readonly access: KeycloakAdminAccess
  /** Keycloak's address for administrators, up to but without `/admin`; undefined: where the issuer is. */
  readonly adminUrl?: URL | undefined
  readonly allowInsecureHttp: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** How a client asks for a scope: `default` ones are in every token. */
export type ScopeKind = 'default' | 'optional'

/** Every call throws KeycloakAdminError; `id` is Keycloak's own, a UUID, not the `client_id`. */
export interface KeycloakAdmin {
  /** Name of the realm, as in the issuer. */
  readonly realm: string
  /** Undefined where there is no such realm. The name alone where the account lacks `view-realm`. */
  realmRepresentation(): Promise<RealmRepresentation | undefined>
  createRealm(realm: Readonly<Record<string, unknown>>): Promise<void>
  /** Those the account may see; none where it may not ask. */
  realmNames(): Promise<readonly string[]>
  /** By `client_id`, compared exactly. Mappers and the names of its scopes are part of it. */
  clientNamed(clientId: string): Promise<ClientRepresentation | undefined>
  createClient(client: Readonly<Record<string, unknown>>): Promise<void>
  /** Replaces lists; fields and attributes that are left out keep their value. The names of scopes are ignored. */
  updateClient(client: Readonly<Record<string, unknown>> & { readonly id: string }): Promise<void>
  /** Undefined for a public client. */
  clientSecret(id: string): Promise<string | undefined>
  addMapper(id: string, mapper: MapperRepresentation): Promise<void>
  updateMapper(id: string, mapper: MapperRepresentation & { readonly id: string }): Promise<void>
  /** All of the realm, with their mappers. */
  scopes(): Promise<readonly ScopeRepresentation[]>
  createScope(scope: Readonly<Record<string, unknown>>): Promise<void>
  /** Those a new client of the realm gets. */
  realmScopes(kind: ScopeKind): Promise<readonly ScopeRepresentation[]>
  addScopeToClient(id: string, kind: ScopeKind, scopeId: string): Promise<void>
  removeScopeFromClient(id: string, kind: ScopeKind, scopeId: string): Promise<void>
  /** Any other resource: `/users?exact=true&username=ada`, below the realm. Undefined for 404. */
  read(path: string, role: string): Promise<unknown>
  close(): Promise<void>
}

/**
 * Signs in at once, so that a wrong password is told before anything else.
 * @throws KeycloakAdminError `admin_login`, `admin_unreachable`, or where the issuer is no realm of a Keycloak
 */
export async function openKeycloakAdmin(options: KeycloakAdminOptions): Promise<KeycloakAdmin> {
  const { provider, clock, signal } = options
  const { realm, base, isWritten } = whereIs(provider, options.adminUrl)
  const transport = openTransport({
    issuer: base,
    // An address written down for calls from here may be plain http.
    internalUrl: isWritten ? new URL(base) : undefined,
    caFile: provider.caFile,
    timeout: provider.timeout,
    allowInsecureHttp: options.allowInsecureHttp,
  })
  const token = createAdminToken(options.access, { base, transport, clock, signal })
  const wire = { base, transport, token, signal }
  try {
    await signIn(wire)
  } catch (error) {
    await transport.close()
    throw error
  }
  return { realm, ...resourcesOf(wire, realm), close: () => transport.close() }
}

/** Where the Admin API is: next to `/realms` of the issuer, as seen from here. */
function whereIs({ issuer, internalUrl }: KeycloakAdminOptions['provider'], adminUrl: URL | undefined) {
  const parts = /^(.*)\/realms\/([^/]+)\/*$/.exec(internalAddress(new URL(issuer), new URL(issuer), internalUrl).href)
  if (parts === null) {
    const message = `${issuer} is not a realm of a Keycloak: its address has no /realms/<name> at the end`
    throw new KeycloakAdminError(
      'admin_refused',
      message,
      'this works with Keycloak alone; register the client by hand',
    )
  }
  const base = (adminUrl?.href ?? parts[1]!).replace(/\/+$/, '')
  return { realm: decodeURIComponent(parts[2]!), base, isWritten: (adminUrl ?? internalUrl) !== undefined }
}

function resourcesOf(wire: AdminWire, realm: string): Omit<KeycloakAdmin, 'realm' | 'close'> {
  const top = `/realms/${encodeURIComponent(realm)}`
  const call = (request: AdminRequest) => callAdmin(wire, { ...request, path: top + request.path })
  const read = async (path: string, role: string) => (await call({ method: 'GET', path, role }))?.body
  const list = async <Item>(path: string, item: z.ZodType<Item>) =>
    accept(z.array(item), await read(path, 'view-clients'), path) ?? realmMissing(realm)
  const write = async (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) => {
    const answer = await call({ method, path, body, role: 'manage-clients' })
    if (answer === undefined) throw gone(`${method} /admin${top}${path}`)
  }
  return {
    read,
    realmRepresentation: async () => accept(realmSchema, await read('', 'view-realm'), top),
    async createRealm(body) {
      await callAdmin(wire, { method: 'POST', path: '/realms', body, role: 'create-realm' })
    },
    async realmNames() {
      const path = '/realms?briefRepresentation=true'
      // They are a help beside another message, so a refusal says nothing.
      const answer = await callAdmin(wire, { method: 'GET', path, role: 'view-realm' }).catch(() => undefined)
      const realms = Array.isArray(answer?.body) ? answer.body : []
      return realms.filter(isJsonObject).flatMap(({ realm }) => (typeof realm === 'string' ? [realm] : []))
    },
    clientNamed: async (clientId) =>
      (await list(`/clients?clientId=${encodeURIComponent(clientId)}`, clientSchema)).find(
        (client) => client.clientId === clientId,
      ),
    createClient: (client) => write('POST', '/clients', client),
    updateClient: (client) => write('PUT', `/clients/${client.id}`, client),
    async clientSecret(id) {
      const path = `/clients/${id}/client-secret`
      return accept(secretSchema, await read(path, 'view-clients'), path)?.value
    },
    addMapper: (id, mapper) => write('POST', `/clients/${id}/protocol-mappers/models`, mapper),
    updateMapper: (id, mapper) => write('PUT', `/clients/${id}/protocol-mappers/models/${mapper.id}`, mapper),
    scopes: () => list('/client-scopes', scopeSchema),
    createScope: (scope) => write('POST', '/client-scopes', scope),
    realmScopes: (kind) => list(`/default-${kind}-client-scopes`, scopeSchema),
    addScopeToClient: (id, kind, scopeId) => write('PUT', `/clients/${id}/${kind}-client-scopes/${scopeId}`),
    removeScopeFromClient: (id, kind, scopeId) => write('DELETE', `/clients/${id}/${kind}-client-scopes/${scopeId}`),
  }
}

const secretSchema = z.looseObject({ value: z.string().optional() })

function accept<Item>(schema: z.ZodType<Item>, body: unknown, path: string): Item | undefined {
  if (body === undefined) return undefined
  const { data, error } = schema.safeParse(body)
  if (data !== undefined) return data
  const field = error?.issues[0]?.path.join('.') ?? ''
  const message = `/admin${path} was answered with something else than Keycloak's Admin API has there (${field})`
  throw new KeycloakAdminError('admin_refused', message, wrongAddressHint)
}

function realmMissing(realm: string): never {
  const hint = 'the last part of `provider.issuer` is its name; capital letters count'
  throw new KeycloakAdminError('realm_missing', `this Keycloak has no realm "${realm}"`, hint)
}

const gone = (call: string) =>
  new KeycloakAdminError('conflict', `${call}: it is gone`, 'somebody else may be changing it: try again')
