/** Carries out a plan, step by step in an order in which each finds what it needs. */
import { Secret } from '../../core/secret.ts'
import type { KeycloakAdmin } from './admin-client.ts'
import { KeycloakAdminError } from './admin-error.ts'
import type { Change } from './client-changes.ts'
import type { Plan } from './plan.ts'
import type { ClientRepresentation } from './representations.ts'

/** @throws KeycloakAdminError; what was done before it stays, and the next run goes on from there */
export async function applyPlan(admin: KeycloakAdmin, plan: Plan): Promise<void> {
  if (plan.createRealm) await admin.createRealm({ realm: plan.realm, enabled: true })
  for (const scope of plan.createScopes) await admin.createScope({ ...scope })
  if (plan.createClient)
    await admin.createClient({ clientId: plan.clientId, protocol: 'openid-connect', ...patch({}, plan.changes) })
  const client = await admin.clientNamed(plan.clientId)
  if (client === undefined) {
    const message = `the client ${plan.clientId} is not there`
    throw new KeycloakAdminError('admin_denied', message, 'the account needs the role view-clients to see it', {
      role: 'view-clients',
    })
  }
  if (!plan.createClient && plan.changes.length > 0) await admin.updateClient(changed(client, plan.changes))
  await applyMappers(admin, client.id, plan)
  await applyScopes(admin, client.id, plan)
}

/** Mappers and scopes have calls of their own; sent along they would be taken for what should be. */
function changed(client: ClientRepresentation, changes: readonly Change[]) {
  const { protocolMappers: _, defaultClientScopes: __, optionalClientScopes: ___, ...rest } = client
  return { ...rest, ...patch(client.attributes ?? {}, changes) }
}

function patch(attributes: Readonly<Record<string, string>>, changes: readonly Change[]) {
  const at = (place: Change['place']) =>
    changes.filter((change) => change.place === place).map(({ key, value }) => [key, plain(value)] as const)
  return { ...Object.fromEntries(at('field')), attributes: { ...attributes, ...Object.fromEntries(at('attribute')) } }
}

const plain = (value: Change['value']) => (value instanceof Secret ? value.reveal() : value)

async function applyMappers(admin: KeycloakAdmin, client: string, { mappers }: Plan): Promise<void> {
  for (const { mapper } of mappers) {
    const { id } = mapper
    if (id === undefined) await admin.addMapper(client, mapper)
    else await admin.updateMapper(client, { ...mapper, id })
  }
}

async function applyScopes(admin: KeycloakAdmin, client: string, { scopes }: Plan): Promise<void> {
  if (scopes.length === 0) return
  const known = await admin.scopes()
  for (const { name, kind, wasOptional } of scopes) {
    const id = known.find((scope) => scope.name === name)?.id
    if (id === undefined) throw new KeycloakAdminError('conflict', `the client scope ${name} is gone`, 'run it again')
    // What a client has as an optional scope it cannot get as a default one.
    if (wasOptional) await admin.removeScopeFromClient(client, 'optional', id)
    await admin.addScopeToClient(client, kind, id)
  }
}
