/** The file of docs/recipes/github-cluster.md, between stand-ins for GitHub and for a Kubernetes API. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { replaced } from '../gateways/documented.ts'
import { freePort } from '../support/free-port.ts'
import { type ConfigKeys, startGateway } from '../support/gateway.ts'
import { startGitHub } from '../support/github.ts'
import { selfSubjectReview, startKubernetesApi } from '../support/kubernetes-api.ts'
import { recipeBlock } from './documented.ts'

const account = 'system:serviceaccount:doorward:doorward'

test('a member of a team is that group at the API, and others stay outside', async (t) => {
  const port = await freePort()
  const gitHub = await startGitHub([`http://127.0.0.1:${port}/_doorward/callback`])
  t.after(gitHub.close)
  const api = await startKubernetesApi({ allowed: ['github:acme/devs'] })
  t.after(api.close)
  api.serviceAccounts.set('the-token-of-the-pod', account)
  api.impersonators.add(account)
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-recipe-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const tokenFile = path.join(folder, 'token')
  writeFileSync(tokenFile, 'the-token-of-the-pod')

  const file = replaced(recipeBlock('github-cluster', 'yaml', 'kind: github'), [
    ['https://cluster.example.com', `http://127.0.0.1:${port}`],
    ['kind: github', `kind: github\n  issuer: ${gitHub.issuer}`],
    ['clientId: Ov23liAbCdEfGhIjKlMn', `clientId: ${gitHub.clientId}`],
    ['{ file: /run/secrets/github-secret }', gitHub.clientSecret],
    ['http://127.0.0.1:4466', api.url],
    ['groupsPrefix: "github:"', `groupsPrefix: "github:", tokenFile: ${tokenFile}`],
  ])
  const config: ConfigKeys = parse(file)
  const gateway = await startGateway(t, { port, config })
  const signInAs = async (login: string) => {
    const browser = gateway.browser()
    const page = await browser.navigate(gateway.origin + selfSubjectReview)
    return { browser, visit: await browser.submit(page, { login }) }
  }

  // In three groups at GitHub: the organisation, and two teams; the file keeps one of them.
  gitHub.users.get('ada')!.teams.push('acme/sales')
  const { browser } = await signInAs('ada')
  const { status, body } = await browser.fetch(gateway.origin + selfSubjectReview, {
    method: 'POST',
    from: `${gateway.origin}/`,
  })
  assert.equal(status, 201, body)
  assert.deepEqual(JSON.parse(body).status.userInfo, {
    username: 'github:4711',
    groups: ['github:acme/devs', 'system:authenticated'],
    extra: {},
  })
  assert.equal((await signInAs('bob')).visit.status, 403)
})
