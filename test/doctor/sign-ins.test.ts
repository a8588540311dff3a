/** The doctor signs a person in once for each provider, and leaves no session behind, whatever comes of it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { personBrings } from '../../src/cli/doctor/person-brings.ts'
import { provider } from '../../src/cli/doctor/provider.ts'
import { runExaminations } from '../../src/cli/doctor/run.ts'
import { openSignIns } from '../../src/cli/doctor/sign-ins.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Secret } from '../../src/core/secret.ts'
import { proofOf } from '../session/people.ts'
import { openKeycloak } from '../support/keycloak.ts'
import { makeRealm, type Realm } from '../support/keycloak-realm.ts'
import { writeConfig } from './patient.ts'
import { configOf, patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('sign-ins')

test('everybody who asks gets the same one, and it is ended again', async (t) => {
  const seen: string[] = []
  const signIns = openSignIns(patientWith(configOf(t, {})), async (_, name) => {
    seen.push(`begin ${name}`)
    if (name === 'broken') throw new Error('no')
    return { proof: proofOf('ada'), sources: {}, end: async () => void seen.push(`end ${name}`) }
  })
  const names = ['one', 'two', 'one', 'broken', 'broken']
  await Promise.allSettled(names.map((name) => signIns.at(name)))
  await signIns.close()
  assert.deepEqual(seen, ['begin one', 'begin two', 'begin broken', 'end one', 'end two'])
})

test('a wrong password counts once towards a lock', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak, { realm: { bruteForceProtected: true, failureFactor: 30 } })
  const findings = await look(t, realm, 'not-the-password-of-ada')
  tally.planted(['settings-unseen', 'person-unseen', 'upstream-token-unseen'], findings)
  const [unseen] = findings.filter(({ name }) => name === 'person-unseen')
  assert.match(unseen!.cause, /did not let ada in: Invalid username or password/)
  const { numFailures } = (await realm.admin(
    'GET',
    `/attack-detection/brute-force/users/${await realm.userId('ada')}`,
  )) as { numFailures: number }
  assert.equal(numFailures, 1)
})

test('a login that fails after the password: named, and no session of it stays', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak, { attributes: { 'id.token.signed.response.alg': 'HS256' } })
  tally.planted(
    'sign-in-failed',
    (await look(t, realm, 'ada')).filter(({ severity }) => severity !== 'unseen'),
  )
  assert.deepEqual(await realm.sessionsOf('ada'), [])
})

test('whose groups are none proves nothing of the mapper', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak, { users: [{ username: 'eve' }] })
  const findings = await look(t, realm, 'eve', 'eve')
  tally.planted(
    'groups-unseen',
    findings.filter(({ name }) => name !== 'settings-unseen'),
  )
})

/** Both rooms that look at what a person brings. */
function look(t: TestContext, realm: Realm, password: string, username = 'ada'): Promise<readonly Finding[]> {
  const application = 'http://127.0.0.1:1'
  const { provider: keys } = realm.configOf({ publicUrl: realm.gatewayUrl, issuer: realm.issuer, application })
  const routes = [
    { path: '/admins/*', allow: { groups: ['/platform/admins'] }, upstream: application },
    { allow: 'signedIn', upstream: application, headers: { Authorization: 'Bearer {idToken}' } },
  ]
  const session = { idle: '15m', lifetime: '8h' }
  const file = writeConfig(t, { publicUrl: realm.gatewayUrl, provider: keys, routes, session })
  const person = { username, password: new Secret(password) }
  const patient = patientWith(loadConfig(file, {}).config, { person })
  return runExaminations([provider, personBrings], patient, () => undefined)
}
