import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'

export const caddy: GatewayProduct = {
  name: 'Caddy',
  part: 'caddy',
  version: { args: ['version'], pattern: /v?(\d[\d.]+)/ },
  files: (places) => ({
    Caddyfile: aside + replaced(documentedFile('caddy', '/etc/caddy/Caddyfile'), substitutions(places)),
  }),
  arguments: (folder) => ['run', '--config', `${folder}/Caddyfile`, '--adapter', 'caddyfile'],
  environment: (folder) => ({ XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }),
  remarks: {},
}

/** No fixed ports (2019 and 80), and no certificate from outside. */
const aside = '{\n\tadmin off\n\tauto_https off\n}\n'

const substitutions = (places: Places): [string, string][] => [
  [
    'app.example.com {',
    `https://${places.host}:${places.port} {\n\tbind 127.0.0.1\n\ttls ${places.certificate} ${places.key}`,
  ],
  ['127.0.0.1:4180', `127.0.0.1:${places.publicPort}`],
  ['127.0.0.1:4181', `127.0.0.1:${places.forwardAuthPort}`],
  ['127.0.0.1:3000', `127.0.0.1:${places.applicationPort}`],
  ['response_header_timeout 15s', 'response_header_timeout 1s'],
]
