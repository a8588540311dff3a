/**
 * The chart on a real API server, by hand before a release (pods need not run there):
 *
 *   DOORWARD_CLUSTER=kubeconfig node --test test/chart/real-cluster.ts
 *
 * Needs helm, kubectl and git, and the custom resources of Gateway API, Prometheus operator, Traefik, Envoy Gateway and
 * Istio. Everything happens in namespaces of its own, which are deleted. The release begins with the chart of the
 * revision DOORWARD_CHART_FROM; unset, with the first there was.
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { findPart } from '../support/real-part.ts'
import { base, issuerCases } from './cases.ts'
import { render, type Values, valuesFile } from './helm.ts'
import { objectCases } from './object-cases.ts'

const kubeconfig = process.env.DOORWARD_CLUSTER
const env = { ...process.env, KUBECONFIG: kubeconfig }
const folder = mkdtempSync(path.join(tmpdir(), 'doorward-cluster-'))
const old = path.join(folder, 'charts/doorward')
const current = 'charts/doorward'
const namespaces: string[] = []

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(program: string, args: readonly string[], input = ''): Ran {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env, input, timeout: 240_000 })
  return { status, stdout, stderr }
}

const kubectl = (args: readonly string[], input?: string): Ran => run('kubectl', args, input)
const helm = (args: readonly string[]): Ran => run(findPart('helm')!, args)

/** @throws Error with what the program says */
function said({ status, stdout, stderr }: Ran): string {
  assert.equal(status, 0, `${stdout}${stderr}`)
  return stdout
}

/** A namespace with the Secret that people make themselves. */
function openNamespace(): string {
  const name = `doorward-${process.pid}-${namespaces.length}`
  said(kubectl(['create', 'namespace', name]))
  namespaces.push(name)
  const text = '--from-literal=client-secret=the-client-secret-of-a-try'
  said(kubectl(['-n', name, 'create', 'secret', 'generic', 'keycloak-client', text]))
  return name
}

/** Names of all that is in a namespace, as `kind/name`, but for what Kubernetes puts there itself. */
function contents(namespace: string): readonly string[] {
  const kinds = said(kubectl(['api-resources', '--verbs=list', '--namespaced', '-o', 'name']))
    .split('\n')
    .filter((kind) => kind !== '' && !kind.startsWith('events'))
  return said(kubectl(['-n', namespace, 'get', [...new Set(kinds)].join(','), '-o', 'name', '--ignore-not-found']))
    .split('\n')
    .filter((name) => name !== '' && name !== 'configmap/kube-root-ca.crt' && name !== 'serviceaccount/default')
    .sort()
}

const keptSecret = (namespace: string): string =>
  said(kubectl(['-n', namespace, 'get', 'secret', 'gate-doorward-session', '-o', 'jsonpath={.data.session-secret}']))

/** What Helm believes to have made is there, with every field of it. */
function assertAsRendered(namespace: string): void {
  const manifest = said(helm(['-n', namespace, 'get', 'manifest', 'gate']))
  assert.ok(parseAllDocuments(manifest).length > 0)
  said(kubectl(['-n', namespace, 'diff', '-f', '-'], manifest))
}

/** Runs `helm test`, and says of its pod what a kubelet would. */
async function helmTest(namespace: string): Promise<void> {
  const running = new Promise<Ran>((resolve) => {
    const args = ['-n', namespace, 'test', 'gate', '--timeout', '30s']
    execFile(findPart('helm')!, args, { env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : 1, stdout, stderr }),
    )
  })
  const pod = ['-n', namespace, 'patch', 'pod', 'gate-doorward-test', '--subresource=status', '--type=merge']
  const succeeded = [...pod, '-p', JSON.stringify({ status: { phase: 'Succeeded' } })]
  for (let tries = 0; kubectl(succeeded).status !== 0; tries++) {
    assert.ok(tries < 40, 'the pod of the test is made')
    await sleep(250)
  }
  assert.match(said(await running), /Phase:\s+Succeeded/)
}

const routed = { allow: 'signedIn', upstream: 'http://127.0.0.1:3000' }
const apps = [{ name: 'wiki', host: 'wiki.example.com', service: 'wiki', port: 80, selector: { app: 'wiki' } }]
const many = { replicas: 2, autoscaling: { enabled: true }, serviceMonitor: { enabled: true } }
const parentRefs = [{ name: 'public', namespace: 'edge' }]
const lives: readonly (readonly [string, Values])[] = [
  ['forward-auth', base()],
  ['forward-auth, nginx', base({ ...many, apps, gateway: { kind: 'nginx' }, ingress: { className: 'nginx' } })],
  ['forward-auth, Traefik', base({ ...many, apps, gateway: { kind: 'traefik' } })],
  [
    'forward-auth, Envoy Gateway',
    base({ ...many, apps, gateway: { kind: 'envoy-gateway' }, httpRoute: { parentRefs } }),
  ],
  [
    'forward-auth, Istio',
    base({ ...many, apps, gateway: { kind: 'istio' }, httpRoute: { parentRefs }, extAuthz: { enabled: true } }),
  ],
  ['proxy', base({ ...many, mode: 'proxy', config: { routes: [routed] }, ingress: { enabled: true } })],
  ['sidecar', base({ mode: 'sidecar', config: { trustedProxies: undefined, routes: [routed] } })],
]

describe('on a real API server', { skip: kubeconfig === undefined && 'DOORWARD_CLUSTER names no kubeconfig' }, () => {
  before(() => {
    const first = said(run('git', ['log', '--diff-filter=A', '--format=%H', '--', `${current}/Chart.yaml`]))
    const revision = process.env.DOORWARD_CHART_FROM ?? first.trim().split('\n').at(-1)!
    const archive = spawnSync('git', ['archive', revision, current])
    assert.equal(spawnSync('tar', ['-x', '-C', folder], { input: archive.stdout }).status, 0)
  })
  after(() => {
    for (const name of namespaces) kubectl(['delete', 'namespace', name, '--wait=false'])
    rmSync(folder, { recursive: true })
  })

  const strictly = (text: string) => kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], text)
  const custom = ['ServiceMonitor', 'HTTPRoute', 'SecurityPolicy', 'AuthorizationPolicy', 'Middleware']

  test('every object of every case, by strict validation', () => {
    const namespace = openNamespace()
    const cases = [...issuerCases, ...objectCases]
    const texts = cases.map(({ values }) => render(values, { flags: ['--namespace', namespace] }).text)
    const read = texts.flatMap((text) => parseAllDocuments(text)).map((document) => document.toJS())
    const all = read.filter((each) => each !== null)
    // Many cases make the same objects.
    said(strictly([...new Set(all.map((each) => JSON.stringify(each)))].join('\n')))
    for (const kind of ['NetworkPolicy', 'Deployment', ...custom]) {
      const one = all.find((each) => each.kind === kind)
      const { status, stderr } = strictly(JSON.stringify({ ...one, spec: { ...one.spec, selectorr: {} } }))
      assert.notEqual(status, 0, `a wrong ${kind} is refused`)
      assert.match(stderr, /unknown field "spec.selectorr"/, kind)
    }
  })

  for (const [name, values] of lives) {
    test(`${name}: install, upgrade, test, uninstall, install again`, async () => {
      const namespace = openNamespace()
      const file = valuesFile(values)
      const inNamespace = (...args: string[]) => said(helm(['-n', namespace, ...args]))
      inNamespace('install', 'gate', old, '-f', file)
      const secret = keptSecret(namespace)
      inNamespace('upgrade', 'gate', current, '--reuse-values')
      assertAsRendered(namespace)
      inNamespace('upgrade', 'gate', current, '-f', file)
      inNamespace('upgrade', 'gate', current, '--reset-then-reuse-values', '--set', 'labels.team=platform')
      assertAsRendered(namespace)
      inNamespace('rollback', 'gate', '1')
      assert.equal(keptSecret(namespace), secret, 'nobody is signed out by an upgrade')
      if (values.mode !== 'sidecar') await helmTest(namespace)
      inNamespace('uninstall', 'gate', '--wait', '--timeout', '30s')
      assert.deepEqual(contents(namespace), ['secret/gate-doorward-session', 'secret/keycloak-client'])
      inNamespace('install', 'gate', current, '-f', file)
      assert.equal(keptSecret(namespace), secret, 'nor by an installation after it')
      inNamespace('uninstall', 'gate')
    })
  }
})
