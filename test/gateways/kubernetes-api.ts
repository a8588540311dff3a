import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** As much of an object as the API server below looks at. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/**
 * An API server for a controller that only reads: lists of these objects over all namespaces, and watches in which
 * nothing ever happens. Returns its address.
 */
export async function startKubernetesApi(t: TestContext, objects: readonly KubernetesObject[]): Promise<string> {
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://api')
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    // A client that is told so falls back from streamed lists to plain ones.
    if (searchParams.has('sendInitialEvents')) {
      return answer(422, { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason: 'Invalid', code: 422 })
    }
    if (searchParams.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      return
    }
    const [, group = '', resource = ''] = /^\/(?:apis\/)?(.*)\/([a-z]+)$/.exec(pathname) ?? []
    const apiVersion = group.replace(/^api\//, '')
    const kind = kinds[resource]
    if (kind === undefined) return answer(404, { apiVersion: 'v1', kind: 'Status', status: 'Failure', code: 404 })
    const items = objects.filter((one) => one.apiVersion === apiVersion && one.kind === kind)
    return answer(200, { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: '1' }, items })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const kinds: Readonly<Record<string, string>> = {
  configmaps: 'ConfigMap',
  endpointslices: 'EndpointSlice',
  ingressclasses: 'IngressClass',
  ingresses: 'Ingress',
  namespaces: 'Namespace',
  nodes: 'Node',
  secrets: 'Secret',
  services: 'Service',
}
