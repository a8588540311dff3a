/** GitHub under the doctor: what it can see there, and nothing false beside it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { examinations } from '../../src/cli/doctor/examinations.ts'
import { provider as examination } from '../../src/cli/doctor/provider.ts'
import { runExaminations } from '../../src/cli/doctor/run.ts'
import { Secret } from '../../src/core/secret.ts'
import { freePort } from '../support/free-port.ts'
import { startGitHub } from '../support/github.ts'
import { type Keys, wrong } from './patient.ts'
import { configOf, patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('GitHub')
const publicUrl = 'http://127.0.0.1:4180'

async function openGitHub(t: TestContext) {
  const gitHub = await startGitHub([`${publicUrl}/_doorward/callback`])
  t.after(() => gitHub.close())
  return gitHub
}

const configWith = (t: TestContext, provider: Keys, more: Keys = {}) =>
  configOf(t, { publicUrl, provider: { kind: 'github', anyoneMaySignIn: true, ...provider }, ...more })

const look = async (t: TestContext, provider: Keys) => examination.examine(patientWith(configWith(t, provider)))

test('the app is known by its secret, and what cannot be seen is said', async (t) => {
  const { issuer, clientId, clientSecret } = await openGitHub(t)
  const found = await look(t, { issuer, clientId, clientSecret })
  tally.healthy(wrong(found))
  tally.planted('client-unseen', found)
  tally.planted(
    'client-or-secret-wrong',
    wrong(await look(t, { issuer, clientId, clientSecret: 'of-another-app-at-github' })),
  )
  tally.planted(
    'client-or-secret-wrong',
    wrong(await look(t, { issuer, clientId: 'Iv1.0000000000000000', clientSecret })),
  )
})

test('GitHub cannot be reached, or has no time', async (t) => {
  const gitHub = await openGitHub(t)
  const { clientId, clientSecret } = gitHub
  const nobody = `http://127.0.0.1:${await freePort()}`
  tally.planted('provider-unreachable', wrong(await look(t, { issuer: nobody, clientId, clientSecret })))
  gitHub.instead = (_, response) => {
    response.writeHead(503).end()
    return true
  }
  tally.healthy(wrong(await look(t, { issuer: gitHub.issuer, clientId, clientSecret })))
})

test('nobody is told to name a person, whom only Keycloak could be asked about', async (t) => {
  const { issuer, clientId, clientSecret } = await openGitHub(t)
  const route = { allow: 'signedIn', upstream: publicUrl, headers: { Authorization: 'Bearer {accessToken}' } }
  const session = { store: 'memory' }
  const config = configWith(t, { issuer, clientId, clientSecret }, { routes: [route], session })
  const person = { username: 'ada', password: new Secret('ada') }
  const rooms = examinations.filter(({ name }) => ['provider', 'what a person brings'].includes(name))
  const found = await runExaminations(rooms, patientWith(config, { person }), () => undefined)
  assert.deepEqual(found.map(({ name }) => name).toSorted(), ['client-unseen', 'upstream-token-unseen'])
  for (const { fix } of found) assert.doesNotMatch(fix, /--user/)
})
