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
 * An API server for a controller that reads: lists of these objects over all namespaces, and watches in which nothing
 * ever happens. What it writes (states of objects) is taken and forgotten. Returns its address.
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
    const discovered = discoveryOf(pathname)
    if (discovered !== undefined) return answer(200, discovered)
    if (request.method !== 'GET') return answer(200, written(objects, pathname))
    const [, group = '', resource = ''] = /^\/(?:apis\/)?(.*)\/([a-z]+)$/.exec(pathname) ?? []
    const apiVersion = group.replace(/^api\//, '')
    const kind = kinds[apiVersion]?.[resource]
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

/** What the controllers of these tests read: group and version -> resource -> kind. */
const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: { configmaps: 'ConfigMap', namespaces: 'Namespace', nodes: 'Node', secrets: 'Secret', services: 'Service' },
  'discovery.k8s.io/v1': { endpointslices: 'EndpointSlice' },
  'networking.k8s.io/v1': { ingressclasses: 'IngressClass', ingresses: 'Ingress' },
  'projectcontour.io/v1': { httpproxies: 'HTTPProxy', tlscertificatedelegations: 'TLSCertificateDelegation' },
  'projectcontour.io/v1alpha1': {
    contourconfigurations: 'ContourConfiguration',
    contourdeployments: 'ContourDeployment',
    extensionservices: 'ExtensionService',
  },
}

/** Which resources there are, where a client asks for that. */
function discoveryOf(pathname: string): unknown {
  if (pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] }
  if (pathname === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() }
  const groupVersion = pathname.replace(/^\/apis?\//, '')
  const resources = kinds[groupVersion]
  if (resources === undefined) return undefined
  const verbs = ['get', 'list', 'watch', 'patch', 'update']
  const namespaced = (kind: string) => !['Namespace', 'Node', 'IngressClass'].includes(kind)
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: Object.entries(resources).map(([name, kind]) => {
      return { name, kind, verbs, singularName: kind.toLowerCase(), namespaced: namespaced(kind) }
    }),
  }
}

function groups(): unknown {
  const named = Object.keys(kinds).filter((groupVersion) => groupVersion.includes('/'))
  const names = [...new Set(named.map((groupVersion) => groupVersion.split('/')[0]!))]
  return names.map((name) => {
    const versions = named
      .filter((groupVersion) => groupVersion.startsWith(`${name}/`))
      .map((groupVersion) => ({ groupVersion, version: groupVersion.split('/')[1] }))
    return { name, versions, preferredVersion: versions[0] }
  })
}

/** The object that a path names, as it was: nothing is kept. */
function written(objects: readonly KubernetesObject[], pathname: string): unknown {
  const [, namespace, , name] = /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)/.exec(pathname) ?? []
  return (
    objects.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace) ?? {
      apiVersion: 'v1',
      kind: 'Status',
      status: 'Success',
    }
  )
}
