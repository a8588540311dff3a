/**
 * Contour with the objects of its page, which it reads from an API server that knows nothing else, and the Envoy that it
 * configures.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { freePort } from '../support/free-port.ts'
import { findPart } from '../support/real-part.ts'
import { startBeside } from './beside.ts'
import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'
import { type KubernetesObject, startKubernetesApi } from './kubernetes-api.ts'
import { kubeconfigOf, podOf, tlsSecret } from './kubernetes-objects.ts'

export const contour: GatewayProduct = {
  name: 'Contour',
  part: 'contour',
  version: { args: ['version'], pattern: /v?(\d+\.\d+\.\d+)/ },
  asks: 'extAuthz',
  files: (places) => ({
    'cluster.json': JSON.stringify(clusterOf(places)),
    'https-port': String(places.port),
    'contour.yaml': 'accesslog-level: error\n',
  }),
  arguments: (folder) => [
    ...['serve', '--insecure', '--disable-leader-election', '--kubeconfig', `${folder}/kubeconfig`],
    ...[
      '--config-path',
      `${folder}/contour.yaml`,
      '--xds-address',
      '127.0.0.1',
      '--xds-port',
      read(folder, 'xds-port'),
    ],
    ...['--envoy-service-https-address', '127.0.0.1', '--envoy-service-https-port', read(folder, 'https-port')],
    ...['--envoy-service-http-address', '127.0.0.1', '--envoy-service-http-port', read(folder, 'http-port')],
    ...['--stats-address', '127.0.0.1', '--stats-port', read(folder, 'stats-port')],
    ...['--health-address', '127.0.0.1', '--health-port', read(folder, 'health-port')],
    ...['--http-address', '127.0.0.1', '--http-port', read(folder, 'health-port')],
    ...['--debug-http-address', '127.0.0.1', '--debug-http-port', read(folder, 'debug-port')],
  ],
  patience: 120_000,
  beside: startClusterAndEnvoy,
  remarks: {},
}

const read = (folder: string, name: string): string => readFileSync(`${folder}/${name}`, 'utf8')

async function startClusterAndEnvoy(t: TestContext, folder: string): Promise<void> {
  const [command, envoy] = [findPart('contour'), findPart('envoy')]
  if (command === undefined || envoy === undefined) return t.skip('Contour configures an Envoy, and there is none here')
  for (const name of ['xds-port', 'http-port', 'stats-port', 'health-port', 'debug-port']) {
    writeFileSync(`${folder}/${name}`, String(await freePort()))
  }
  const server = await startKubernetesApi(t, JSON.parse(read(folder, 'cluster.json')))
  writeFileSync(`${folder}/kubeconfig`, kubeconfigOf(server))
  const bootstrap = ['bootstrap', `${folder}/envoy.json`, '--admin-address', `${folder}/admin.sock`]
  execFileSync(command, [...bootstrap, '--xds-address', '127.0.0.1', '--xds-port', read(folder, 'xds-port')])
  const node = ['--service-cluster', 'contour', '--service-node', 'envoy']
  startBeside(t, folder, envoy, ['-c', `${folder}/envoy.json`, ...node, '--concurrency', '1', '-l', 'warning'])
}

function clusterOf(places: Places): readonly KubernetesObject[] {
  const documented = replaced(documentedFile('envoy-grpc', 'contour.yaml'), [
    ['app.example.com', places.host],
    ['responseTimeout: 15s', 'responseTimeout: 1s'],
  ])
  return [
    ...parseAllDocuments(documented).map((one) => one.toJS() as KubernetesObject),
    ...podOf('app', 'app', { 80: places.applicationPort }),
    ...podOf('auth', 'doorward', { 4180: places.publicPort, 4182: places.forwardAuthPort }),
    tlsSecret('app', places),
    tlsSecret('auth', places),
  ]
}
