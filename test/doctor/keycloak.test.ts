/** The doctor on a real Keycloak: each fault is planted by the Admin API, and has to be named alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMended } from '../../src/cli/doctor/setup-mends.ts'
import { run } from '../../src/cli/main.ts'
import { worldOf } from '../cli/world.ts'
import { openKeycloak } from '../support/keycloak.ts'
import { administrator } from '../support/keycloak-keeper.ts'
import { makeRealm } from '../support/keycloak-realm.ts'
import { ada, keycloakAdmin, keysOf, look, plantClient } from './keycloak-look.ts'
import { letGoWithoutEmail, type Plant, plants } from './keycloak-plants.ts'
import { examine, writeConfig, wrong } from './patient.ts'
import { openTally } from './tally.ts'

const { username, password } = administrator
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
      await t.test(what, (t) => look(t, tally, { keycloak, shared }, plant))
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

/** As the doctor says it, by the administrator. */
async function runSetup(command: string, file: string): Promise<void> {
  const told: string[] = []
  const onLine = (_: string, line: string) => void told.push(line)
  const argv = [...command.split(' ').slice(1), '--config', file, '--admin-user', username, '--yes']
  const code = await run(argv, worldOf({ cwd: '/', env: { DOORWARD_ADMIN_PASSWORD: password }, onLine }))
  assert.equal(code, 0, told.join('\n'))
}
