/** What operators do to a Keycloak besides, on a real one: what is wrong is named, and what is not draws no finding. */
import { test } from 'node:test'
import { openKeycloak } from '../support/keycloak.ts'
import { makeRealm } from '../support/keycloak-realm.ts'
import { fieldPlants } from './keycloak-field-plants.ts'
import { look } from './keycloak-look.ts'
import { openTally } from './tally.ts'

const isOldest = process.env.DOORWARD_KEYCLOAK?.startsWith('26.0.')

const tally = openTally('provider, on Keycloak, in the field')

for (const [what, some] of [
  ['nothing is wrong with it', fieldPlants.filter(({ names }) => names.length === 0)],
  ['something is', fieldPlants.filter(({ names }) => names.length > 0)],
] as const) {
  test(what, async (t) => {
    const keycloak = await openKeycloak(t)
    if (keycloak === undefined) return
    const shared = await makeRealm(t, keycloak)
    for (const plant of some) {
      const skip = plant.isLater && isOldest && 'Keycloak 26.0 does not have the setting'
      await t.test(`${plant.fault}: ${plant.names.join(', ') || 'no finding'}`, { skip }, (t) =>
        look(t, tally, { keycloak, shared }, plant),
      )
    }
  })
}
