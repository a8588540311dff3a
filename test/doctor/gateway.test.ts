/** Gateways that ask too little or believe too much, planted on a real nginx whose sound form is that of our page. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { FindingName } from '../../src/cli/doctor/finding-names.ts'
import { gatewayInFront } from '../../src/cli/doctor/gateway-in-front.ts'
import { loadConfig } from '../../src/config/load.ts'
import { caddy } from '../gateways/caddy.ts'
import { envoy } from '../gateways/envoy.ts'
import { startGatewayProcess } from '../gateways/gateway-process.ts'
import type { GatewayProduct, Places } from '../gateways/gateway-product.ts'
import { haproxy } from '../gateways/haproxy.ts'
import { nginx } from '../gateways/nginx.ts'
import { traefik } from '../gateways/traefik.ts'
import { freePort } from '../support/free-port.ts'
import { type ConfigKeys, startGateway, type TestGateway } from '../support/gateway.ts'
import { findPart, requirePart } from '../support/real-part.ts'
import { makeCertificate } from './certificates.ts'
import { type Edits, type Ports, startNginx } from './nginx-front.ts'
import { patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('gateway in front')

const routes = [
  { path: '/public/*', allow: 'public' },
  { path: '/admin/*', allow: { groups: ['/admins'] } },
  { allow: 'signedIn' },
]

interface Front {
  readonly port: number
  readonly world: TestGateway
}

async function openWorld(t: TestContext, scheme: 'http' | 'https', config: ConfigKeys = {}): Promise<Front> {
  const [port, own] = [await freePort(), await freePort()]
  const world = await startGateway(t, {
    port: own,
    publicUrl: () => `${scheme}://localhost:${port}`,
    errorsExpected: true,
    config: { forwardAuth: '127.0.0.1:0', trustedProxies: ['127.0.0.1'], routes, ...config },
  })
  return { port, world }
}

const examine = ({ world }: Front, address = '/') =>
  gatewayInFront.examine(
    patientWith(loadConfig(world.file, {}).config, {
      through: new URL(address, world.origin),
      operations: world.server.addresses.operations,
    }),
  )

function placesOf(t: TestContext, { port, world }: Front): Places {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-doctor-gateway-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const places = {
    host: 'localhost',
    port,
    publicPort: world.port,
    forwardAuthPort: Number(world.server.addresses.forwardAuth!.port),
    applicationPort: Number(new URL(world.application.url).port),
    folder,
    certificate: path.join(folder, 'tls.crt'),
    key: path.join(folder, 'tls.key'),
    bundle: path.join(folder, 'tls.pem'),
  }
  const read = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../proxy/certificates/${name}`, import.meta.url)), 'utf8')
  writeFileSync(places.certificate, read('server.pem'))
  writeFileSync(places.key, read('server.key.pem'))
  writeFileSync(places.bundle, read('server.pem') + read('server.key.pem'))
  return places
}

const portsOf = ({ port, world }: Front): Ports => ({
  front: port,
  public: world.port,
  forwardAuth: Number(world.server.addresses.forwardAuth!.port),
  application: Number(new URL(world.application.url).port),
})

const proxyTo = (port: number) => `proxy_pass http://127.0.0.1:${port};`
const beforeRoot = (text: string) => ['  location / {', `${text}\n  location / {`] as const
const originalUrl = 'proxy_set_header X-Original-URL http://$http_host$request_uri;'
const beforeServer = (text: string) => ['server {\n  listen', `${text}\nserver {\n  listen`] as const
const openEndpoint = ({ forwardAuth }: Ports) =>
  beforeRoot(`location /auth/ { proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Host $http_host;
    ${proxyTo(forwardAuth)} }`)

const ownPages = 'location /_doorward/ {'

const plants: readonly (readonly [what: string, names: FindingName | readonly FindingName[], edits: Edits])[] = [
  [
    'a location that forgets to ask',
    'gateway-fails-open',
    ({ application }) => [beforeRoot(`location /admin/ { ${proxyTo(application)} }`)],
  ],
  [
    'nothing is asked at all',
    ['gateway-fails-open', 'gateway-fails-open'],
    () => [['auth_request /_doorward_auth;', '']],
  ],
  [
    'whoever says who he is gets in',
    ['gateway-trusts-identity-header', 'gateway-passes-identity-header'],
    ({ application }) => [
      [
        '    auth_request /',
        '    error_page 418 = @known;\n    if ($http_x_auth_user) { return 418; }\n    auth_request /',
      ],
      beforeRoot(`location @known { ${proxyTo(application)} }`),
    ],
  ],
  [
    'websockets lead past the question',
    'gateway-fails-open',
    ({ application }) => [
      [
        '    auth_request /',
        '    error_page 418 = @socket;\n    if ($http_upgrade = websocket) { return 418; }\n    auth_request /',
      ],
      beforeRoot(
        `location @socket { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; ${proxyTo(application)} }`,
      ),
    ],
  ],
  [
    'an identity header is passed on',
    'gateway-passes-identity-header',
    () => [['proxy_set_header X-Auth-User    $auth_user;', '']],
  ],
  [
    'the address asked for is what the client says',
    'gateway-trusts-forwarded-header',
    () => [
      beforeServer(
        'map $http_x_original_url $asked { default $http_x_original_url; "" http://$http_host$request_uri; }',
      ),
      [originalUrl, 'proxy_set_header X-Original-URL $asked;'],
    ],
  ],
  ['no way to sign in', 'gateway-drops-sign-in', () => [['error_page 401 = @doorward_sign_in;', '']]],
  [
    'another scheme',
    'gateway-says-wrong-scheme',
    () => [[originalUrl, 'proxy_set_header X-Original-URL https://$http_host$request_uri;']],
  ],
  [
    'the endpoint of another gateway',
    ['gateway-refuses', 'gateway-trusts-forwarded-header'],
    () => [['/auth/nginx;', '/auth/traefik;']],
  ],
  [
    'an endpoint that redirects',
    'gateway-cannot-ask',
    () => [
      ['/auth/nginx;', '/auth/traefik;'],
      [
        originalUrl,
        'proxy_set_header X-Forwarded-Method $request_method; proxy_set_header X-Forwarded-Uri $request_uri; proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Proto http;',
      ],
    ],
  ],
  [
    'nobody to ask',
    'gateway-cannot-ask',
    ({ forwardAuth }) => [[`server 127.0.0.1:${forwardAuth};`, 'server 127.0.0.1:1;']],
  ],
  [
    'scripts look like pages',
    'gateway-redirects-scripts',
    () => [
      [
        originalUrl,
        `${originalUrl} proxy_set_header Accept text/html; proxy_set_header Sec-Fetch-Mode navigate; proxy_set_header Sec-Fetch-Dest document;`,
      ],
    ],
  ],
  ['our pages are asked about too', 'gateway-hides-pages', () => [[ownPages, 'location /elsewhere/ {']]],
  [
    'our cookies are taken off',
    'gateway-drops-cookies',
    () => [[ownPages, `${ownPages} proxy_hide_header Set-Cookie;`]],
  ],
  [
    'small headers',
    'gateway-header-limit',
    () => [['  server_name', '  large_client_header_buffers 4 2k;\n  server_name']],
  ],
  ['the endpoint is open to the world', 'forward-auth-public', (ports) => [openEndpoint(ports)]],
  [
    'asked by way of the public host',
    ['auth-url-external', 'forward-auth-public'],
    (ports) => [
      openEndpoint(ports),
      [
        'proxy_pass http://doorward_auth/auth/nginx;',
        `proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:${ports.front}/auth/nginx;`,
      ],
    ],
  ],
]

test('nginx', async (t) => {
  if (requirePart(t, 'nginx') === undefined) return
  const front = await openWorld(t, 'http')
  await t.test('gone', async () => tally.planted('gateway-unreachable', await examine(front)))
  await t.test('as documented', async (t) => {
    await startNginx(t, portsOf(front), () => [])
    tally.healthy(await examine(front))
    tally.healthy(await examine(front, '/admin/users'))
    tally.planted('through-not-protected', await examine(front, '/public/logo.svg'))
    tally.planted('through-host-unknown', await examine(front, `http://127.0.0.1:${front.port}/`))
    const { received } = front.world.application
    const reached = received.filter(({ url }) => !url.startsWith('/public/'))
    assert.deepEqual(reached, [], 'the doctor itself opens nothing')
  })
  for (const [what, names, edits] of plants) {
    await t.test(what, async (t) => {
      await startNginx(t, portsOf(front), edits)
      tally.planted(names, await examine(front))
    })
  }
})

test('nginx asks, and nobody trusts it', async (t) => {
  if (requirePart(t, 'nginx') === undefined) return
  const front = await openWorld(t, 'http', { trustedProxies: ['10.42.0.7'] })
  await startNginx(t, portsOf(front), () => [])
  const found = await examine(front)
  tally.planted('proxy-not-trusted', found)
  assert.match(found[0]!.fix, /trustedProxies: \[127\.0\.0\.1\]/)
})

test('a whole continent is trusted', async (t) => {
  if (requirePart(t, 'nginx') === undefined) return
  const front = await openWorld(t, 'http', { trustedProxies: ['127.0.0.0/8'] })
  await startNginx(t, portsOf(front), () => [])
  tally.planted('trusted-proxies-wide', await examine(front))
})

test('nothing is open to everybody, so nobody can see what would pass', async (t) => {
  if (requirePart(t, 'nginx') === undefined) return
  const front = await openWorld(t, 'http', { routes: [{ allow: 'signedIn' }] })
  await startNginx(t, portsOf(front), () => [])
  tally.planted('gateway-passes-unseen', await examine(front))
})

test('every gateway as its page has it, over https', async (t) => {
  for (const product of [nginx, traefik, caddy, haproxy, envoy] satisfies GatewayProduct[]) {
    const command = findPart(product.part)
    if (command === undefined) continue
    await t.test(product.name, async (t) => {
      const front = await openWorld(t, 'https')
      await startGatewayProcess(t, product, command, placesOf(t, front))
      tally.healthy(await examine(front))
    })
  }
})

test('a certificate that browsers refuse', async (t) => {
  const command = requirePart(t, 'nginx')
  if (command === undefined) return
  for (const [names, life] of [
    ['DNS:localhost', 'over'],
    ['DNS:localhost', 'later'],
    ['DNS:other.example.com', 'now'],
  ] as const) {
    await t.test(`${names}, ${life}`, async (t) => {
      const front = await openWorld(t, 'https')
      const { cert, key } = makeCertificate(t, names, life)
      await startGatewayProcess(t, nginx, command, { ...placesOf(t, front), certificate: cert, key })
      tally.planted('gateway-certificate', await examine(front))
    })
  }
  await t.test('of an authority that is not known here: browsers may know it', async (t) => {
    const front = await openWorld(t, 'https')
    const { cert, key } = makeCertificate(t, 'DNS:localhost')
    await startGatewayProcess(t, nginx, command, { ...placesOf(t, front), certificate: cert, key })
    tally.healthy(await examine(front))
  })
})

test('without --through', async (t) => {
  const front = await openWorld(t, 'http')
  const patient = patientWith(loadConfig(front.world.file, {}).config)
  tally.planted('gateway-unseen', await gatewayInFront.examine(patient))
})
