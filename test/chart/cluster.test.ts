/** What the chart makes of Secrets that are in the cluster: Helm asks a small API server that knows nothing else. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { findPart, skipUnless } from '../support/real-part.ts'
import { base } from './cases.ts'
import { type Manifest, type Values, valuesFile } from './helm.ts'

const group = (kind: string, name: string) => ({
  name,
  singularName: '',
  namespaced: true,
  kind,
  verbs: ['get', 'list'],
})
const discovery: Readonly<Record<string, object>> = {
  '/version': { major: '1', minor: '33', gitVersion: 'v1.33.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [group('Secret', 'secrets')] },
}

describe('Secrets in the cluster', { skip: skipUnless('helm') }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-cluster-'))
  /** By name: texts of its keys. */
  let secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {}
  const server = http.createServer((request, response) => {
    const address = (request.url ?? '').split('?', 1)[0]!
    const name = /^\/api\/v1\/namespaces\/auth\/secrets\/(.+)$/.exec(address)?.[1]
    const found = name === undefined ? discovery[address] : secretOf(name)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }),
    )
  })
  const secretOf = (name: string) => {
    const texts = secrets[name]
    if (texts === undefined) return undefined
    const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
    return { kind: 'Secret', apiVersion: 'v1', metadata: { name, namespace: 'auth' }, data: Object.fromEntries(data) }
  }

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const cluster = { name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }
    const context = { name: 'c', context: { cluster: 'c', user: 'u' } }
    const file = { apiVersion: 'v1', kind: 'Config', clusters: [cluster], contexts: [context], 'current-context': 'c' }
    writeFileSync(path.join(folder, 'kubeconfig'), JSON.stringify({ ...file, users: [{ name: 'u', user: {} }] }))
  })
  after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })

  /** Not synchronous, since the server is in this process. */
  function ask(values: Values): Promise<string> {
    const args = [
      'template',
      'gate',
      'charts/doorward',
      '-n',
      'auth',
      '--dry-run=server',
      '--kube-version',
      '1.33.0',
      '-f',
      valuesFile(values),
    ]
    const env = { ...process.env, KUBECONFIG: path.join(folder, 'kubeconfig'), HOME: folder }
    return new Promise((resolve, reject) => {
      execFile(findPart('helm')!, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(stderr))
      })
    })
  }

  async function find(values: Values, kind: string, name: string): Promise<Manifest> {
    const all = parseAllDocuments(await ask(values)).map((document): Manifest => document.toJS())
    const found = all.find((each) => each?.kind === kind && each.metadata.name === name)
    assert.ok(found !== undefined, `${kind} ${name}`)
    return found
  }

  const made = 'a-session-secret-that-was-made-at-the-installation'

  test('the one that was made stays, at every upgrade', async () => {
    secrets = { 'gate-doorward-session': { 'session-secret': made } }
    const { data } = await find(base(), 'Secret', 'gate-doorward-session')
    assert.equal(Buffer.from(data!['session-secret']!, 'base64').toString(), made)
    secrets = {}
    const fresh = await find(base(), 'Secret', 'gate-doorward-session')
    assert.notEqual(Buffer.from(fresh.data!['session-secret']!, 'base64').toString(), made)
  })

  test('by environment: the checksum follows what is in the cluster', async () => {
    const values = base({ secrets: { delivery: 'env', session: { existingSecret: 'mine' } } })
    const checksum = async (text: string) => {
      secrets = { mine: { 'session-secret': text } }
      const { spec } = await find(values, 'Deployment', 'gate-doorward')
      return spec.template.metadata.annotations['checksum/secrets']
    }
    const first = await checksum(made)
    assert.equal(await checksum(made), first)
    assert.notEqual(await checksum(`${made}-rotated`), first)
  })

  const refused: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ['without the key', { other: made }, /the Secret mine has no key session-secret/],
    ['empty', { 'session-secret': ' \n' }, /secrets\.session is empty/],
    ['short', { 'session-secret': 'short' }, /secrets\.session has fewer than 32 characters/],
    ['a placeholder', { 'session-secret': '$session:secret' }, /secrets\.session is a placeholder/],
  ]
  for (const [name, texts, reason] of refused) {
    test(`an existing one is refused: ${name}`, async () => {
      secrets = { mine: texts }
      await assert.rejects(ask(base({ secrets: { session: { existingSecret: 'mine' } } })), reason)
    })
  }
})
