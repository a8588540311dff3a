/** What has to change at Keycloak so that the file works: computed from what is there, before anything is written. */
import type { Config, ProviderConfig } from '../../config/config.ts'
import type { KeycloakAdmin } from './admin-client.ts'
import { KeycloakAdminError } from './admin-error.ts'
import { type BuiltInScope, builtInScopes } from './built-in-scopes.ts'
import { type Change, clientChanges } from './client-changes.ts'
import { byHand, remarks } from './remarks.ts'
import type { ClientRepresentation, MapperRepresentation, ScopeRepresentation } from './representations.ts'
import { type ScopeStep, scopePlan } from './scope-steps.ts'
import type { WantedClient } from './wanted-client.ts'
import { type MapperStep, mapperSteps, wantedMappers } from './wanted-mappers.ts'

export interface Plan {
  readonly realm: string
  readonly clientId: string
  readonly createRealm: boolean
  readonly createScopes: readonly BuiltInScope[]
  readonly createClient: boolean
  readonly changes: readonly Change[]
  readonly mappers: readonly MapperStep[]
  readonly scopes: readonly ScopeStep[]
  /** Worth knowing; nothing has to be done. */
  readonly remarks: readonly string[]
  /** What is wrong and not ours to change. */
  readonly byHand: readonly string[]
}

export const stepCount = ({ createRealm, createScopes, createClient, changes, mappers, scopes }: Plan): number =>
  Number(createRealm) +
  createScopes.length +
  Number(createClient) +
  toldChanges(changes).length +
  mappers.length +
  scopes.length

/** Without those that a new client has anyway. */
export const toldChanges = (changes: readonly Change[]): readonly Change[] => changes.filter(({ isUsual }) => !isUsual)

type FoundScope = Pick<ScopeRepresentation, 'name'> & {
  readonly protocolMappers?: readonly MapperRepresentation[] | undefined
}

/** What Keycloak has of all this. */
export interface Found {
  readonly hasRealm: boolean
  /** Undefined where it has still to be made. */
  readonly client: ClientRepresentation | undefined
  readonly secret: string | undefined
  readonly realmScopes: readonly FoundScope[]
  /** Names of the scopes the client has; of one to be made, those the realm gives it. */
  readonly clientScopes: { readonly default: readonly string[]; readonly optional: readonly string[] }
}

/** @throws KeycloakAdminError */
export async function lookAt(admin: KeycloakAdmin, clientId: string, mayCreateRealm: boolean): Promise<Found> {
  // The one role that is enough for all of this is the one to be told of.
  if ((await admin.read('', 'manage-clients')) === undefined) {
    if (mayCreateRealm) return newRealm
    const names = await admin.realmNames()
    const known = names.length === 0 ? '' : `; this account sees ${names.slice(0, 20).join(', ')}`
    const hint = 'make it with --create-realm, or correct the end of `provider.issuer`: capital letters count'
    throw new KeycloakAdminError('realm_missing', `this Keycloak has no realm "${admin.realm}"${known}`, hint)
  }
  const [client, realmScopes] = await Promise.all([admin.clientNamed(clientId), admin.scopes()])
  if (client === undefined) {
    const [first, second] = await Promise.all([admin.realmScopes('default'), admin.realmScopes('optional')])
    const clientScopes = { default: oidcNames(first), optional: oidcNames(second) }
    return { hasRealm: true, client, secret: undefined, realmScopes: realmScopes.filter(isOidc), clientScopes }
  }
  const clientScopes = { default: client.defaultClientScopes ?? [], optional: client.optionalClientScopes ?? [] }
  const secret = client.publicClient ? undefined : await admin.clientSecret(client.id)
  return { hasRealm: true, client, secret, realmScopes: realmScopes.filter(isOidc), clientScopes }
}

const isOidc = ({ protocol }: ScopeRepresentation): boolean => protocol === undefined || protocol === 'openid-connect'
const oidcNames = (scopes: readonly ScopeRepresentation[]) => scopes.filter(isOidc).map(({ name }) => name)

/** Keycloak gives a new realm all of its built-in scopes. */
const newRealm: Found = {
  hasRealm: false,
  client: undefined,
  secret: undefined,
  realmScopes: [...builtInScopes, { name: 'offline_access' }, { name: 'organization' }],
  clientScopes: { default: builtInScopes.map(({ name }) => name), optional: ['offline_access', 'organization'] },
}

export function planFor(
  { config, provider, wanted }: { config: Config; provider: ProviderConfig; wanted: WantedClient },
  realm: string,
  found: Found,
): Plan {
  const { client, clientScopes } = found
  const scopes = scopePlan(provider.scopes, { realm: found.realmScopes.map(({ name }) => name), client: clientScopes })
  const shared = found.realmScopes
    .filter(({ name }) => clientScopes.default.includes(name) || provider.scopes.includes(name))
    .flatMap(({ protocolMappers = [] }) => protocolMappers)
  const mappers = wantedMappers(config, provider)
  return {
    realm,
    clientId: wanted.clientId,
    createRealm: !found.hasRealm,
    createScopes: scopes.create,
    createClient: client === undefined,
    changes: clientChanges(wanted, client ?? {}, found),
    mappers: mapperSteps(mappers, client?.protocolMappers ?? [], shared),
    scopes: scopes.assign,
    remarks: remarks({ config, provider, wanted, client: client ?? {}, secret: found.secret }),
    byHand: byHand({ client: client ?? {}, wanted, mappers, shared, unknownScopes: scopes.unknown }),
  }
}
