/** Plants a fault on a real Keycloak, and looks at it with the eyes a plant names, then with all of them. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import type { Keycloak } from '../support/keycloak.ts'
import { administrator } from '../support/keycloak-keeper.ts'
import { clientId, clientSecret, makeRealm, type Realm } from '../support/keycloak-realm.ts'
import { type Plant, session } from './keycloak-plants.ts'
import { examine, type Keys, wrong } from './patient.ts'
import type { Tally } from './tally.ts'

export const ada = { username: 'ada', password: new Secret('ada') }
const { username, password } = administrator
export const keycloakAdmin = { kind: 'password', realm: 'master', username, password: new Secret(password) } as const

export interface Ground {
  readonly keycloak: Keycloak
  readonly shared: Realm
}

/** Making a realm takes Keycloak seconds, so most plants share one and have a client of their own in it. */
export async function look(t: TestContext, tally: Tally, { keycloak, shared }: Ground, plant: Plant): Promise<void> {
  const realm = plant.ownRealm === undefined ? shared : await makeRealm(t, keycloak, plant.ownRealm)
  const keys = keysOf(realm, await plantClient(realm, plant), plant)
  await plantSettings(t, realm, plant.settings ?? {})
  const person = plant.user === undefined ? ada : await plantUser(realm, plant.user)
  const eyes = { nobody: {}, person: { person }, admin: { keycloakAdmin }, all: { person, keycloakAdmin } }
  const findings = await examine(t, keys, { asked: eyes[plant.eyes ?? 'nobody'] })
  const found = wrong(findings)
  if (plant.names.length === 0) tally.healthy(found)
  else tally.planted(plant.names, found)
  const seen = wrong(await examine(t, keys, { asked: eyes.all }))
  // Whoever sees more finds the same, and nothing beside it.
  assert.deepEqual(
    seen.map(({ name }) => name),
    plant.names,
    JSON.stringify(seen, undefined, 1),
  )
  const notes = findings.filter(({ severity }) => severity === 'note')
  if (plant.notes === undefined) assert.deepEqual(plant.names.length === 0 ? notes : [], [])
  else tally.planted(plant.notes, notes)
  const [first] = found
  if (plant.cause !== undefined) assert.match(first!.cause, plant.cause)
  if (plant.fix !== undefined) assert.match(first!.fix, plant.fix)
  for (const text of [clientSecret, password]) assert.ok(!JSON.stringify(findings).includes(text), 'a secret is told')
}

/** A sound client but for what is planted. @returns its client ID */
export async function plantClient(realm: Realm, plant: Plant): Promise<string> {
  const { client = {}, attributes = {}, redirectUris, scope } = plant
  if (scope !== undefined) await realm.admin('POST', '/client-scopes', scope)
  const [found] = (await realm.admin('GET', `/clients?clientId=${clientId}`)) as Record<string, unknown>[]
  const { id: _, protocolMappers, attributes: usual, ...sound } = found!
  const mappers = (protocolMappers as Keys[]).map(({ id: _, ...mapper }) => mapper)
  const own = `gateway-${crypto.randomUUID().slice(0, 8)}`
  await realm.admin('POST', '/clients', {
    ...sound,
    clientId: own,
    secret: clientSecret,
    protocolMappers: mappers,
    attributes: { ...(usual as Keys), ...attributes },
    ...(redirectUris !== undefined && { redirectUris: redirectUris(realm.gatewayUrl) }),
    ...client,
  })
  return own
}

async function plantUser(realm: Realm, change: NonNullable<Plant['user']>) {
  const name = `user-${crypto.randomUUID().slice(0, 8)}`
  const credentials = [{ type: 'password', value: name, temporary: false }]
  const names = { username: name, email: `${name}@example.test`, firstName: name, lastName: 'Example' }
  await realm.admin('POST', '/users', { ...names, emailVerified: true, enabled: true, credentials })
  await change(realm, await realm.userId(name))
  return { username: name, password: new Secret(name) }
}

async function plantSettings(t: TestContext, realm: Realm, settings: Keys): Promise<void> {
  const names = Object.keys(settings)
  if (names.length === 0) return
  const before = (await realm.admin('GET', '')) as Keys
  t.after(() => realm.admin('PUT', '', Object.fromEntries(names.map((name) => [name, before[name]]))))
  await realm.admin('PUT', '', settings)
}

export function keysOf(realm: Realm, id: string, plant: Plant): Keys {
  const usual = realm.configOf({ publicUrl: realm.gatewayUrl, issuer: realm.issuer, application: 'http://127.0.0.1:1' })
  const provider = { kind: 'keycloak', issuer: realm.issuer, clientId: id, clientSecret, ...plant.provider?.(realm) }
  return { publicUrl: realm.gatewayUrl, session, ...usual, provider, ...plant.keys?.(realm) }
}
