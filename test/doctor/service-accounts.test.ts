/** Service accounts whose token the API does not take, or that have none. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { serviceAccounts } from '../../src/cli/doctor/service-accounts.ts'
import { proofOf } from '../session/people.ts'
import { startKubernetesApi } from '../support/kubernetes-api.ts'
import { configOf, patientWith, signedInWith } from './sound-patient.ts'
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

test('a role, for the person who signed in', async (t) => {
  const tokenFile = path.join(tmpdir(), `doorward-doctor-speaking-${process.pid}`)
  t.after(() => rmSync(tokenFile, { force: true }))
  writeFileSync(tokenFile, 'the-token\n')
  const api = await startKubernetesApi({ allowed: [] })
  t.after(() => api.close())
  api.serviceAccounts.set('the-token', 'system:serviceaccount:apps:doorward')
  const look = (allow: unknown) => {
    const route = {
      allow,
      upstream: api.url,
      impersonate: { user: 'oidc:{username}', groupsPrefix: 'oidc:', tokenFile },
    }
    return serviceAccounts.examine(signedInWith(configOf(t, { routes: [route] }), proofOf('ada')))
  }
  tally.planted('upstream-refuses-impersonation', await look('signedIn'))
  tally.healthy(await look({ groups: ['/nobody'] }))
  api.impersonators.add('system:serviceaccount:apps:doorward')
  tally.healthy(await look('signedIn'))
  const { rawHeaders } = api.last()
  const sent = rawHeaders.flatMap((name, at) => (name === 'Impersonate-Group' ? [rawHeaders[at + 1]] : []))
  assert.deepEqual(
    sent,
    proofOf('ada').identity.groups.map((group) => `oidc:${group}`),
  )
})
