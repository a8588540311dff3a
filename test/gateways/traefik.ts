import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'
import { slowQuestion } from './questions-failure.ts'

export const traefik: GatewayProduct = {
  name: 'Traefik',
  part: 'traefik',
  version: { args: ['version'], pattern: /Version:\s+v?([\d.]+)/ },
  files: (places) => ({
    'traefik.yaml': replaced(documentedFile('traefik', '/etc/traefik/traefik.yaml'), [
      ['address: :443', `address: 127.0.0.1:${places.port}`],
      ['/etc/traefik/app.yaml', `${places.folder}/app.yaml`],
    ]),
    'app.yaml': replaced(documentedFile('traefik', '/etc/traefik/app.yaml'), substitutions(places)),
  }),
  arguments: (folder) => [`--configFile=${folder}/traefik.yaml`],
  remarks: { [slowQuestion.name]: { but: 'it waits for 30 s; requests are held and stay closed' } },
}

const substitutions = (places: Places): [string, string][] => [
  ['app.example.com', places.host],
  ['/etc/traefik/tls.crt', places.certificate],
  ['/etc/traefik/tls.key', places.key],
  ['http://doorward:4180', `http://127.0.0.1:${places.publicPort}`],
  ['http://doorward:4181', `http://127.0.0.1:${places.forwardAuthPort}`],
  ['http://app:3000', `http://127.0.0.1:${places.applicationPort}`],
]
