/** Service accounts whose token the API does not take, or that have none. */
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { serviceAccounts } from '../../src/cli/doctor/service-accounts.ts'
import { startKubernetesApi } from '../support/kubernetes-api.ts'
import { configOf, patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('service accounts')

test('a token in its file', async (t) => {
  const tokenFile = path.join(tmpdir(), `doorward-doctor-token-${process.pid}`)
  t.after(() => rmSync(tokenFile, { force: true }))
  const api = await startKubernetesApi({ allowed: [] })
  t.after(() => api.close())
  api.serviceAccounts.set('the-token', 'system:serviceaccount:apps:doorward')
  const routes = [{ allow: 'signedIn', upstream: api.url, impersonate: { user: '{sub}', tokenFile } }]
  const look = () => serviceAccounts.examine(patientWith(configOf(t, { routes })))
  writeFileSync(tokenFile, 'the-token\n')
  tally.healthy(await look())
  tally.healthy(await serviceAccounts.examine(patientWith(configOf(t, {}))))
  writeFileSync(tokenFile, 'of-another-cluster\n')
  tally.planted('upstream-refuses-service-account', await look())
  rmSync(tokenFile)
  tally.planted('service-account-token-missing', await look())
})
