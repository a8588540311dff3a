/** What a cluster has around the objects of a page. */
import { readFileSync } from 'node:fs'
import type { Places } from './gateway-product.ts'
import type { KubernetesObject } from './kubernetes-api.ts'

export function kubeconfigOf(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  })
}

/** A service with one pod, on this machine. @param ports of the service -> of the pod */
export function podOf(namespace: string, name: string, ports: Readonly<Record<number, number>>): KubernetesObject[] {
  const pairs = Object.entries(ports).map(([port, target]) => ({ name: `p${port}`, port: Number(port), target }))
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        clusterIP: '10.10.10.1',
        ports: pairs.map(({ name, port, target }) => ({ name, protocol: 'TCP', port, targetPort: target })),
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: pairs.map(({ name, target }) => ({ name, protocol: 'TCP', port: target })),
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    },
  ]
}

/** The certificate of the tests, under the name that all pages use. */
export function tlsSecret(namespace: string, places: Places): KubernetesObject {
  const inBase64 = (file: string) => readFileSync(file).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'app-tls', namespace },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': inBase64(places.certificate), 'tls.key': inBase64(places.key) },
  }
}
