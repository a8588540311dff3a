/** How each gateway puts its question: the wire of each one written down once. */
import type { HeaderLine, RawRequest } from '../attacks/wire.ts'

/** What the client sent to the gateway. */
export interface ClientRequest {
  readonly method?: string
  readonly host?: string
  /** Raw: path and query. */
  readonly uri: string
  readonly headers?: readonly HeaderLine[]
  /** Each becomes a Cookie line of its own. */
  readonly cookies?: readonly string[]
}

/** How one gateway family puts its question. */
export interface GatewayWire {
  readonly name: string
  /** What carries the question besides the address: without one of them, or with one twice, there is no answer. */
  readonly carriers: readonly string[]
  /** How "please sign in" is said: nginx cannot pass a redirect on. */
  readonly loginStatus: 302 | 401
  /** The gateway's own request to us. */
  ask(request: ClientRequest): RawRequest
}

const hopByHop = /^(?:connection|keep-alive|te|trailers?|transfer-encoding|upgrade|proxy-.*)$/i
const endToEnd = (headers: readonly HeaderLine[] = []) => headers.filter(([name]) => !hopByHop.test(name))
const cookieLines = ({ cookies = [] }: ClientRequest) => cookies.map((cookie): HeaderLine => ['Cookie', cookie])
const appHost = 'app.example.com'
const ours = 'doorward.auth.svc:4181'

/** `auth_request`: always GET, always one address, the client's headers inherited. */
const nginx: GatewayWire = {
  name: 'nginx',
  carriers: ['X-Original-URL', 'X-Original-Method'],
  loginStatus: 401,
  ask: (request) => ({
    target: '/auth/nginx',
    headers: [
      ['X-Original-URL', `https://${request.host ?? appHost}${request.uri}`],
      ['X-Original-Method', request.method ?? 'GET'],
      ['X-Forwarded-For', '203.0.113.9'],
      ['Host', ours],
      ...endToEnd(request.headers),
      ...cookieLines(request),
    ],
  }),
}

/** NGINX Gateway Fabric: headers that are literally called Path and Method. */
const nginxGateway: GatewayWire = {
  name: 'nginx-gateway',
  carriers: ['Method', 'Path', 'Host'],
  loginStatus: 401,
  ask: (request) => ({
    target: '/auth/nginx-gateway',
    headers: [
      ['Host', request.host ?? appHost],
      ['Path', request.uri],
      ['Method', request.method ?? 'GET'],
      ['X-Forwarded-For', '203.0.113.9'],
      ...endToEnd(request.headers),
      ...cookieLines(request),
    ],
  }),
}

const forwarded = (request: ClientRequest): HeaderLine[] => [
  ['X-Forwarded-Method', request.method ?? 'GET'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', request.host ?? appHost],
  ['X-Forwarded-Uri', request.uri],
  ['X-Forwarded-For', '203.0.113.9'],
]

const forwardedCarriers = ['X-Forwarded-Method', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Uri']

/** All client headers but the hop-by-hop ones, so a websocket arrives as a GET with its key. */
const traefik: GatewayWire = {
  name: 'traefik',
  carriers: forwardedCarriers,
  loginStatus: 302,
  ask: (request) => ({
    target: '/auth/traefik',
    headers: [['Host', ours], ...endToEnd(request.headers), ...cookieLines(request), ...forwarded(request)],
  }),
}

/** The client's query ends up on our address, and Upgrade comes along. */
const caddy: GatewayWire = {
  name: 'caddy',
  carriers: forwardedCarriers,
  loginStatus: 302,
  ask: (request) => ({
    target: `/auth/caddy${request.uri.includes('?') ? request.uri.slice(request.uri.indexOf('?')) : ''}`,
    headers: [
      ['Host', request.host ?? appHost],
      ...(request.headers ?? []),
      ...cookieLines(request),
      ...forwarded(request),
    ],
  }),
}

/** `lua.auth-request`: HEAD. */
const haproxy: GatewayWire = {
  name: 'haproxy',
  carriers: forwardedCarriers,
  loginStatus: 302,
  ask: (request) => ({
    method: 'HEAD',
    target: '/auth/haproxy',
    headers: [['Host', ours], ...endToEnd(request.headers), ...cookieLines(request), ...forwarded(request)],
  }),
}

/** What `allowed_headers` has to list, as our documentation has it. */
const listed =
  /^(?:accept|origin|authorization|sec-fetch-.*|sec-purpose|purpose|sec-websocket-key|x-requested-with|access-control-request-.*)$/i

/** The request itself: method, Host, our prefix before the path; two Cookie lines joined by a comma. */
function extAuthz(name: string): GatewayWire {
  return {
    name,
    carriers: ['Host'],
    loginStatus: 302,
    ask: (request) => ({
      method: request.method ?? 'GET',
      target: `/auth/${name}${request.uri}`,
      headers: [
        ['Host', request.host ?? appHost],
        ['Content-Length', '0'],
        ...(request.headers ?? []).filter(([header]) => listed.test(header)),
        ...(request.cookies === undefined ? [] : [['Cookie', request.cookies.join(',')] as const]),
        ['X-Forwarded-For', '203.0.113.9'],
        ['X-Forwarded-Proto', 'https'],
      ],
    }),
  }
}

export const gatewayWires: readonly GatewayWire[] = [
  nginx,
  nginxGateway,
  traefik,
  caddy,
  haproxy,
  extAuthz('envoy'),
  extAuthz('gateway-api'),
]
