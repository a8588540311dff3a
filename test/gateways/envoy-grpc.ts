import { documentedFile, replaced } from './documented.ts'
import { envoy } from './envoy.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'

export const envoyGrpc: GatewayProduct = {
  ...envoy,
  name: 'Envoy over gRPC',
  asks: 'extAuthz',
  files: (places) => ({
    'envoy.yaml': replaced(documentedFile('envoy-grpc', '/etc/envoy/envoy-grpc.yaml'), substitutions(places)),
  }),
  remarks: {},
}

/**
 * As most who configure Envoy for others let it ask: each name once, its lines joined. Names with underscores pass,
 * and only a healthy Doorward is asked.
 */
export const envoyGrpcMap: GatewayProduct = {
  ...envoyGrpc,
  name: 'Envoy over gRPC, headers in a map',
  files: (places) => ({
    'envoy.yaml': replaced(envoyGrpc.files(places)['envoy.yaml']!, [
      ['encode_raw_headers: true', ''],
      [
        'load_assignment: { cluster_name: doorward_ext_authz',
        `${healthChecks()}load_assignment: { cluster_name: doorward_ext_authz`,
      ],
      ['common_http_protocol_options: { headers_with_underscores_action: REJECT_REQUEST }', ''],
    ]),
  }),
}

/** From the page, at the depth of a cluster. */
const healthChecks = () =>
  `${documentedFile('envoy-grpc', 'health checks').trimEnd().replaceAll('\n', '\n      ')}\n      `

/** A file that lets a request pass where asking failed. */
export const envoyGrpcOpen: GatewayProduct = {
  ...envoyGrpc,
  name: 'Envoy over gRPC, with failure_mode_allow',
  files: (places) => ({
    'envoy.yaml': replaced(envoyGrpc.files(places)['envoy.yaml']!, [
      ['failure_mode_allow: false', 'failure_mode_allow: true'],
    ]),
  }),
}

const substitutions = (places: Places): [string, string][] => [
  ['address: 0.0.0.0, port_value: 8443', `address: 127.0.0.1, port_value: ${places.port}`],
  ['/etc/envoy/tls.crt', places.certificate],
  ['/etc/envoy/tls.key', places.key],
  ['address: doorward, port_value: 4180', `address: 127.0.0.1, port_value: ${places.publicPort}`],
  ['address: doorward, port_value: 4182', `address: 127.0.0.1, port_value: ${places.forwardAuthPort}`],
  ['address: app, port_value: 3000', `address: 127.0.0.1, port_value: ${places.applicationPort}`],
  ['timeout: 15s', 'timeout: 1s'],
]
