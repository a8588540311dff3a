/**
 * Envoy Gateway with the objects of its pages. It reads them from a file in place of a cluster and starts Envoy on this
 * machine; what a cluster has besides (the Gateway, Services, the certificate) is added here.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { findPart } from '../support/real-part.ts'
import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'

export const envoyGateway: GatewayProduct = {
  name: 'Envoy Gateway',
  part: 'envoy-gateway',
  version: { args: ['version'], pattern: /ENVOY_GATEWAY_VERSION: v?([\d.]+)/ },
  files: (places) =>
    filesOf(places, documentedFile('gateway-api', 'envoy-gateway.yaml'), [
      ['{ name: doorward, port: 4180 }', backend('pages')],
      ['{ name: doorward, port: 4181 }', backend('questions')],
    ]),
  arguments: (folder) => ['server', '--config-path', `${folder}/config.yaml`],
  patience: 120_000,
  beside: giveEnvoyAndCertificates,
  remarks: {},
}

export const envoyGatewayGrpc: GatewayProduct = {
  ...envoyGateway,
  name: 'Envoy Gateway over gRPC',
  asks: 'extAuthz',
  files: (places) =>
    filesOf(places, documentedFile('envoy-grpc', 'envoy-gateway-grpc.yaml'), [
      ['{ name: doorward, namespace: auth, port: 4180 }', backend('pages')],
      ['{ name: doorward, namespace: auth, port: 4182 }', backend('questions')],
    ]),
}

/** Of the Envoy that it is given: what it would download otherwise. */
const envoyVersion = '1.40.0'

async function giveEnvoyAndCertificates(t: TestContext, folder: string): Promise<void> {
  const [command, envoy] = [findPart('envoy-gateway'), findPart('envoy')]
  if (command === undefined || envoy === undefined)
    return t.skip('Envoy Gateway starts an Envoy, and there is none here')
  const home = `${folder}/data/envoy-versions/${envoyVersion}/bin`
  mkdirSync(home, { recursive: true })
  symlinkSync(envoy, `${home}/envoy`)
  // Those between itself and its Envoy.
  execFileSync(command, ['certgen', '--local', '--config-home', `${folder}/config`], { stdio: 'ignore' })
}

const filesOf = (places: Places, documented: string, pairs: readonly [string, string][]) => ({
  'config.yaml': configOf(places.folder),
  'objects.yaml': [
    replaced(documented, [
      ['app.example.com', places.host],
      ['{ name: app, port: 80 }', backend('app')],
      ['timeout: 15s', 'timeout: 1s'],
      ...pairs,
    ]),
    clusterOf(places, documented.includes('grpc:')),
  ].join('\n---\n'),
})

const configOf = (folder: string): string => `
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
provider:
  type: Custom
  custom:
    resource: { type: File, file: { paths: [${folder}/objects.yaml] } }
    infrastructure:
      type: Host
      host: { configHome: ${folder}/config, dataHome: ${folder}/data, stateHome: ${folder}/state, runtimeDir: ${folder}/run }
extensionApis: { enableBackend: true }
logging: { level: { default: warn } }
telemetry: { metrics: { prometheus: { disable: true } } }
`

/**
 * From files it reads no Services, and grants only after it has judged the references: Backends are in their place, in
 * the namespace of the route.
 */
const backend = (name: string): string => `{ group: gateway.envoyproxy.io, kind: Backend, name: ${name} }`

const backendAt = (name: string, port: number, protocols = '[]'): string => `
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: { name: ${name}, namespace: app }
spec: { appProtocols: ${protocols}, endpoints: [{ ip: { address: 127.0.0.1, port: ${port} } }] }
`

function clusterOf(places: Places, isGrpc: boolean): string {
  const inBase64 = (file: string) => readFileSync(file).toString('base64')
  return [
    `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: envoy }
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: { group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: app }
`,
    `
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: { name: envoy, namespace: app }
spec:
  concurrency: 1
  telemetry: { accessLog: { disable: true } }
  logging: { level: { default: warn } }
  provider: { type: Host, host: { envoyVersion: ${envoyVersion} } }
`,
    `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: public, namespace: app }
spec:
  gatewayClassName: envoy
  listeners:
    - name: https
      protocol: HTTPS
      port: ${places.port}
      tls: { mode: Terminate, certificateRefs: [{ name: app-tls }] }
`,
    `
apiVersion: v1
kind: Secret
metadata: { name: app-tls, namespace: app }
type: kubernetes.io/tls
data: { tls.crt: ${inBase64(places.certificate)}, tls.key: ${inBase64(places.key)} }
`,
    backendAt('app', places.applicationPort),
    backendAt('pages', places.publicPort),
    backendAt('questions', places.forwardAuthPort, isGrpc ? '[gateway.envoyproxy.io/h2c]' : '[]'),
  ].join('---')
}
