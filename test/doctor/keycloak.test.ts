/** The doctor on a real Keycloak: each fault is planted by the Admin API, and has to be named alone. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { Secret } from '../../src/core/secret.ts'
import { worldOf } from '../cli/world.ts'
import { type Keycloak, openKeycloak } from '../support/keycloak.ts'
import { administrator } from '../support/keycloak-keeper.ts'
import { clientId, clientSecret, makeRealm, type Realm } from '../support/keycloak-realm.ts'
import { letGoWithoutEmail, type Plant, plants, session } from './keycloak-plants.ts'
import { examine, type Keys, writeConfig, wrong } from './patient.ts'
import { openTally } from './tally.ts'

const ada = { username: 'ada', password: new Secret('ada') }
const { username, password } = administrator
const keycloakAdmin = { kind: 'password', realm: 'master', username, password: new Secret(password) } as const
const tally = openTally('provider, on Keycloak')

test('each fault of a realm or client is named, and no other', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const shared = await makeRealm(t, keycloak)
  await letGoWithoutEmail(shared)
  for (const plant of plants) {
    await t.test(`${plant.fault}: ${plant.names.join(', ') || 'no finding'}`, (t) => look(t, keycloak, shared, plant))
  }
})

/** Making a realm takes Keycloak seconds, so most plants share one and have a client of their own in it. */
async function look(t: TestContext, keycloak: Keycloak, shared: Realm, plant: Plant): Promise<void> {
  const realm = plant.ownRealm === undefined ? shared : await makeRealm(t, keycloak, plant.ownRealm)
  const keys = keysOf(realm, await plantClient(realm, plant), plant)
  await plantSettings(t, realm, plant.settings ?? {})
  const person = plant.user === undefined ? ada : await plantUser(realm, plant.user)
  const eyes = { nobody: {}, person: { person }, admin: { keycloakAdmin }, all: { person, keycloakAdmin } }
  const file = writeConfig(t, keys)
  const findings = await examine(t, keys, { asked: eyes[plant.eyes ?? 'nobody'] })
  const found = wrong(findings)
  if (plant.names.length === 0) tally.healthy(found)
  else tally.planted(plant.names, found)
  const all = wrong(await examine(t, keys, { asked: eyes.all }))
  // Whoever sees more finds the same, and nothing beside it.
  assert.deepEqual(
    all.map(({ name }) => name),
    plant.names,
    JSON.stringify(all, undefined, 1),
  )
  const [first] = found
  if (plant.cause !== undefined) assert.match(first!.cause, plant.cause)
  if (plant.fix !== undefined) assert.match(first!.fix, plant.fix)
  for (const text of [clientSecret, password]) assert.ok(!JSON.stringify(findings).includes(text), 'a secret is told')
  const command = / or run: doorward (.*)$/.exec(first?.fix ?? '')?.[1]
  if (command === undefined) return
  await runSetup(command, file)
  assert.deepEqual(wrong(await examine(t, keys, { asked: eyes.all })), [], `after ${command}`)
}

/** As the doctor says it, by the administrator. */
async function runSetup(command: string, file: string): Promise<void> {
  const told: string[] = []
  const onLine = (_: string, line: string) => void told.push(line)
  const argv = [...command.split(' '), '--config', file, '--admin-user', username, '--yes']
  const code = await run(argv, worldOf({ cwd: '/', env: { DOORWARD_ADMIN_PASSWORD: password }, onLine }))
  assert.equal(code, 0, told.join('\n'))
}

/** A sound client but for what is planted. @returns its client ID */
async function plantClient(realm: Realm, { client = {}, attributes = {} }: Plant): Promise<string> {
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

function keysOf(realm: Realm, id: string, plant: Plant): Keys {
  const usual = realm.configOf({ publicUrl: realm.gatewayUrl, issuer: realm.issuer, application: 'http://127.0.0.1:1' })
  const provider = { kind: 'keycloak', issuer: realm.issuer, clientId: id, clientSecret, ...plant.provider?.(realm) }
  return { publicUrl: realm.gatewayUrl, session, ...usual, provider, ...plant.keys?.(realm) }
}
