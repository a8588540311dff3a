import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'

export const envoy: GatewayProduct = {
  name: 'Envoy',
  part: 'envoy',
  version: { args: ['--version'], pattern: /\/(\d+\.\d+\.\d+)/ },
  files: (places) => ({
    'envoy.yaml': replaced(documentedFile('envoy', '/etc/envoy/envoy.yaml'), substitutions(places)),
  }),
  arguments: (folder) => ['-c', `${folder}/envoy.yaml`, '--concurrency', '1', '--disable-hot-restart', '-l', 'warning'],
  remarks: {},
}

const substitutions = (places: Places): [string, string][] => [
  ['address: 0.0.0.0, port_value: 8443', `address: 127.0.0.1, port_value: ${places.port}`],
  ['/etc/envoy/tls.crt', places.certificate],
  ['/etc/envoy/tls.key', places.key],
  ['address: doorward, port_value: 4180', `address: 127.0.0.1, port_value: ${places.publicPort}`],
  ['address: doorward, port_value: 4181', `address: 127.0.0.1, port_value: ${places.forwardAuthPort}`],
  ['address: app, port_value: 3000', `address: 127.0.0.1, port_value: ${places.applicationPort}`],
  ['timeout: 15s', 'timeout: 1s'],
]
