/** Traefik reading Ingresses with the annotations of ingress-nginx, from an API server that knows nothing else. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'
import { type KubernetesObject, startKubernetesApi } from './kubernetes-api.ts'
import { traefik } from './traefik.ts'

export const traefikIngressNginx: GatewayProduct = {
  ...traefik,
  name: 'Traefik as ingress-nginx',
  files: (places) => ({
    'traefik.yaml': replaced(documentedFile('traefik', '/etc/traefik/ingress-nginx.yaml'), [
      ['address: :443', `address: 127.0.0.1:${places.port}`],
      ['address: :80', 'address: 127.0.0.1:0'],
    ]),
    'cluster.json': JSON.stringify(clusterOf(places)),
  }),
  environment: (folder) => ({ KUBECONFIG: kubeconfig(folder) }),
  beside: startCluster,
}

const kubeconfig = (folder: string) => `${folder}/kubeconfig`

async function startCluster(t: TestContext, folder: string): Promise<void> {
  const server = await startKubernetesApi(t, JSON.parse(readFileSync(`${folder}/cluster.json`, 'utf8')))
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
  writeFileSync(kubeconfig(folder), JSON.stringify(config))
}

function clusterOf(places: Places): readonly KubernetesObject[] {
  const ingress = (page: string, name: string) =>
    parse(documentedFile(page, name).replaceAll('app.example.com', places.host)) as KubernetesObject
  const authAddress = 'http://doorward.auth.svc.cluster.local:4181'
  const app = replaced(JSON.stringify(ingress('traefik', 'app-ingress.yaml')), [
    [authAddress, `http://127.0.0.1:${places.forwardAuthPort}`],
  ])
  const secret = {
    'tls.crt': readFileSync(places.certificate).toString('base64'),
    'tls.key': readFileSync(places.key).toString('base64'),
  }
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx' },
      spec: { controller: 'k8s.io/ingress-nginx' },
    },
    JSON.parse(app),
    ingress('ingress-nginx', 'doorward-ingress.yaml'),
    ...service('app', 'app', 80, places.applicationPort),
    ...service('auth', 'doorward', 4180, places.publicPort),
    ...['app', 'auth'].map((namespace) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'app-tls', namespace },
      type: 'kubernetes.io/tls',
      data: secret,
    })),
  ]
}

/** A service with one pod, on this machine. */
const service = (namespace: string, name: string, port: number, targetPort: number): KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP: '10.10.10.1', ports: [{ name: 'http', protocol: 'TCP', port, targetPort }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: targetPort }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  },
]
