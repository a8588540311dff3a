/** Traefik reading Ingresses with the annotations of ingress-nginx, from an API server that knows nothing else. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'
import { type KubernetesObject, startKubernetesApi } from './kubernetes-api.ts'
import { kubeconfigOf, podOf, tlsSecret } from './kubernetes-objects.ts'
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
  writeFileSync(kubeconfig(folder), kubeconfigOf(server))
}

function clusterOf(places: Places): readonly KubernetesObject[] {
  const ingress = (page: string, name: string) =>
    parse(documentedFile(page, name).replaceAll('app.example.com', places.host)) as KubernetesObject
  const authAddress = 'http://doorward.auth.svc.cluster.local:4181'
  const app = replaced(JSON.stringify(ingress('traefik', 'app-ingress.yaml')), [
    [authAddress, `http://127.0.0.1:${places.forwardAuthPort}`],
  ])
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx' },
      spec: { controller: 'k8s.io/ingress-nginx' },
    },
    JSON.parse(app),
    ingress('ingress-nginx', 'doorward-ingress.yaml'),
    ...podOf('app', 'app', { 80: places.applicationPort }),
    ...podOf('auth', 'doorward', { 4180: places.publicPort }),
    tlsSecret('app', places),
    tlsSecret('auth', places),
  ]
}
