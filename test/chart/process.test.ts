/** The rendered file and secrets, as a pod would see them, under the real program. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { startIdp } from '../../src/dev/idp.ts'
import { start } from '../cli/process.ts'
import { blocksOf, readPages } from '../docs/pages.ts'
import { startApplication } from '../support/application.ts'
import { createBrowser, signIn } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/gateway.ts'
import { skipUnless } from '../support/real-part.ts'
import { type Container, type Manifest, type PodSpec, type Rendered, render, type Values } from './helm.ts'

const skip = skipUnless('helm')
const clientSecret = 'the-client-secret-of-the-chart'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-pod-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** What stands in the Secrets that the chart does not make. */
const others: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kc-client': { 'client-secret': clientSecret },
}

/** Puts files where the volumes of a pod would: each whole, below a folder of the test. */
function mount(
  folder: string,
  { volumes }: Pick<PodSpec, 'volumes'>,
  { volumeMounts }: Container,
  from: Rendered,
): void {
  for (const { name, mountPath } of volumeMounts) {
    const volume = volumes.find((each) => each.name === name)
    assert.ok(volume !== undefined, name)
    const place = mountPath.startsWith(folder) ? mountPath : path.join(folder, mountPath)
    mkdirSync(place, { recursive: true })
    if (volume.configMap !== undefined) {
      const { data } = from.one('ConfigMap', volume.configMap.name)
      writeFileSync(path.join(place, 'config.yaml'), data!['config.yaml']!)
      continue
    }
    for (const { secret } of volume.projected.sources) {
      for (const { key, path: file } of secret.items)
        writeFileSync(path.join(place, file), textOf(from, secret.name, key))
    }
  }
}

function textOf({ manifests }: Rendered, name: string, key: string): string {
  const made = manifests.find(({ kind, metadata }: Manifest) => kind === 'Secret' && metadata.name === name)
  const text = made === undefined ? others[name]?.[key] : Buffer.from(made.data![key]!, 'base64').toString()
  assert.ok(text !== undefined, `${name}/${key}`)
  return text
}

async function portsOf(): Promise<{ http: number; forwardAuth: number; operations: number }> {
  const [http, forwardAuth, operations] = [await freePort(), await freePort(), await freePort()]
  return { http, forwardAuth, operations }
}

async function provider(t: TestContext, port: number) {
  const origin = `http://127.0.0.1:${port}`
  const idp = await startIdp({
    clients: [
      { clientId: 'apps', clientSecret, redirectUris: [`${origin}/_doorward/callback`], postLogoutRedirectUris: [] },
    ],
  })
  t.after(() => idp.close())
  return { idp, origin }
}

const common = (issuer: string, folder: string, publicUrl: string, ports: object): Values => ({
  keycloak: { issuer, clientId: 'apps' },
  secrets: { mountPath: path.join(folder, 'secrets'), client: { existingSecret: 'kc-client' } },
  ports,
  config: {
    publicUrl,
    trustedProxies: ['127.0.0.1'],
    routes: [{ path: '/public/*', allow: 'public' }, { allow: 'signedIn' }],
  },
})

function answer(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    }).on('error', reject)
  })
}

test('mode forward-auth: the pod answers the ingress, its probes and `helm test`', { skip }, async (t) => {
  const folder = folderOf(t)
  const ports = await portsOf()
  const { idp, origin } = await provider(t, ports.http)
  const rendered = render(common(idp.issuer, folder, origin, ports))
  const { spec } = rendered.one('Deployment').spec.template
  mount(folder, spec, spec.containers[0]!, rendered)
  const file = path.join(folder, 'etc/doorward/config.yaml')
  const served = start(t, ['serve', '--config', file])
  await served.says(/listening|ready/i)

  const ask = (uri: string) =>
    answer(`http://127.0.0.1:${ports.forwardAuth}/auth/nginx`, {
      'x-original-url': origin + uri,
      'x-original-method': 'GET',
    })
  assert.deepEqual([await ask('/public/x'), await ask('/x')], [200, 401])
  assert.equal(await answer(`http://127.0.0.1:${ports.operations}/healthz`), 200)
  assert.equal(await start(t, ['healthcheck', '--ready', '--config', file]).ended(), 0)
  served.child.kill('SIGTERM')
  const readyz = () => answer(`http://127.0.0.1:${ports.operations}/readyz`)
  await until(async () => (await readyz()) === 503, 'not ready while the drain of the chart lasts')
})

test('sidecar: a chart that depends on this one gets a container that signs people in', { skip }, async (t) => {
  const folder = folderOf(t)
  const ports = await portsOf()
  const { idp, origin } = await provider(t, ports.http)
  const application = await startApplication()
  t.after(() => application.close())
  const chart = parentChart(path.join(folder, 'wiki'))
  const values = common(idp.issuer, folder, origin, ports)
  const config = { publicUrl: origin, routes: [{ allow: 'signedIn', upstream: application.url }] }
  const rendered = render({ doorward: { ...values, mode: 'sidecar', config } }, { chart })
  const pod = rendered.one('Deployment', 'wiki').spec.template.spec
  assert.deepEqual(
    pod.containers.map(({ name }) => name),
    ['wiki', 'doorward'],
  )
  mount(folder, pod, pod.containers[1]!, rendered)
  const served = start(t, ['serve', '--config', path.join(folder, 'etc/doorward/config.yaml')])
  await served.says(/listening|ready/i)

  const browser = createBrowser()
  t.after(() => browser.close())
  const page = await browser.navigate(`${origin}/cart?n=1`)
  const visit = await signIn(browser, page, 'ada')
  assert.deepEqual([visit.status, visit.url], [200, `${origin}/cart?n=1`])
  assert.equal(application.last().headers['x-auth-user'], 'ada')
})

/** A chart of somebody else that depends on this one, with the lines of docs/helm.md in its Deployment. */
function parentChart(folder: string): string {
  mkdirSync(path.join(folder, 'templates'), { recursive: true })
  cpSync('charts/doorward', path.join(folder, 'charts/doorward'), { recursive: true })
  writeFileSync(path.join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: wiki\nversion: 1.0.0\n')
  writeFileSync(path.join(folder, 'values.yaml'), '{}\n')
  const page = readPages().find(({ file }) => file === 'docs/helm.md')!
  const lines = blocksOf(page).find(({ code }) => code.includes('include "doorward.sidecar" '))
  assert.ok(lines !== undefined, 'the page shows the lines')
  const head = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: wiki }\nspec:\n'
  writeFileSync(path.join(folder, 'templates/deployment.yaml'), head + lines.code)
  return folder
}
