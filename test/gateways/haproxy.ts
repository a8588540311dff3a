import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'

export const haproxy: GatewayProduct = {
  name: 'HAProxy',
  part: 'haproxy',
  version: { args: ['-v'], pattern: /version (\d[\d.]+)/ },
  files: (places) => ({
    'haproxy.cfg': replaced(documentedFile('haproxy', '/etc/haproxy/haproxy.cfg'), substitutions(places)),
    'doorward.lua': replaced(documentedFile('haproxy', '/etc/haproxy/doorward.lua'), [
      ['milliseconds = 15000', 'milliseconds = 1000'],
    ]),
  }),
  arguments: (folder) => ['-db', '-f', `${folder}/haproxy.cfg`],
  remarks: {},
}

const substitutions = (places: Places): [string, string][] => [
  ['bind :443', `bind 127.0.0.1:${places.port}`],
  ['/etc/haproxy/app.pem', places.bundle],
  ['/etc/haproxy/doorward.lua', `${places.folder}/doorward.lua`],
  ['127.0.0.1:4180', `127.0.0.1:${places.publicPort}`],
  ['127.0.0.1:4181', `127.0.0.1:${places.forwardAuthPort}`],
  ['127.0.0.1:3000', `127.0.0.1:${places.applicationPort}`],
]
