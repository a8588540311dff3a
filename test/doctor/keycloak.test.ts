/** The doctor on a real Keycloak: each fault is planted by the Admin API, and has to be named alone. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isMended } from '../../src/cli/doctor/setup-mends.ts'
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

const byAnybody = plants.filter(({ eyes }) => eyes === undefined)
const further = plants.filter(({ eyes }) => eyes !== undefined)

for (const [who, some] of [
  ['anybody', byAnybody],
  ['a person or an administrator', further],
] as const) {
  test(`each fault that ${who} can see is named, and no other`, async (t) => {
    const keycloak = await openKeycloak(t)
    if (keycloak === undefined) return
    const shared = await makeRealm(t, keycloak)
    await letGoWithoutEmail(shared)
    for (const plant of some) {
      const what = `${plant.fault}: ${plant.names.join(', ') || 'no finding'}`
      await t.test(what, (t) => look(t, keycloak, shared, plant))
    }
  })
}

test('what setup is said to mend is gone when it has run', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak)
  const mended = plants.filter(({ names }) => names.some((name) => isMended(name)))
  const atKeycloak = mended.filter(({ client, attributes }) => client !== undefined || attributes !== undefined)
  // A client that is not there, or not in use, hides the rest; that one has all faults at once and the other none.
  const isHidden = ({ names }: Plant) => names.some((name) => ['client-disabled', 'client-bearer-only'].includes(name))
  const together = (some: readonly Plant[]): Plant => ({
    fault: 'all at once',
    names: [],
    client: Object.assign({}, ...some.map(({ client }) => client)),
    attributes: Object.assign({}, ...some.map(({ attributes }) => attributes)),
    keys: ({ issuer }) => ({ bearer: [{ issuer, audience: 'nobody-has-it' }] }),
  })
  const withoutKey = atKeycloak.filter(({ names }) => !names.includes('client-key-refused'))
  const cases: readonly Plant[] = [
    together(withoutKey),
    together(withoutKey.filter((plant) => !isHidden(plant))),
    ...mended.filter(({ names }) =>
      names.some((name) => ['client-unknown', 'wrong-client-secret', 'client-key-refused'].includes(name)),
    ),
  ]
  for (const plant of cases) {
    await t.test(plant.names.join(', ') || plant.fault, async (t) => {
      const keys = keysOf(realm, await plantClient(realm, plant), plant)
      const look = async () => wrong(await examine(t, keys, { asked: { person: ada, keycloakAdmin } }))
      const file = writeConfig(t, keys)
      let found = await look()
      assert.ok(
        found.some(({ command }) => command !== undefined),
        JSON.stringify(found),
      )
      // One fault may hide another; twice is enough for all of them.
      for (let round = 0; round < 2; round++) {
        const command = found.map((finding) => finding.command).find((one) => one !== undefined)
        if (command === undefined) break
        await runSetup(command, file)
        found = await look()
      }
      assert.deepEqual(found, [])
    })
  }
})

/** Making a realm takes Keycloak seconds, so most plants share one and have a client of their own in it. */
async function look(t: TestContext, keycloak: Keycloak, shared: Realm, plant: Plant): Promise<void> {
  const realm = plant.ownRealm === undefined ? shared : await makeRealm(t, keycloak, plant.ownRealm)
  const keys = keysOf(realm, await plantClient(realm, plant), plant)
  await plantSettings(t, realm, plant.settings ?? {})
  const person = plant.user === undefined ? ada : await plantUser(realm, plant.user)
  const eyes = { nobody: {}, person: { person }, admin: { keycloakAdmin }, all: { person, keycloakAdmin } }
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
}

/** As the doctor says it, by the administrator. */
async function runSetup(command: string, file: string): Promise<void> {
  const told: string[] = []
  const onLine = (_: string, line: string) => void told.push(line)
  const argv = [...command.split(' ').slice(1), '--config', file, '--admin-user', username, '--yes']
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
