/** What every gateway asks, as it asks it: the wire of each one written down once, and one table of questions. */
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

/** `auth_request`: always GET, always one address, the client's headers inherited (forward-auth.md B.1). */
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

/** NGINX Gateway Fabric: headers that are literally called Path and Method (forward-auth.md B.8). */
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

/** All client headers but the hop-by-hop ones, so a websocket arrives as a GET with its key (forward-auth.md B.3). */
const traefik: GatewayWire = {
  name: 'traefik',
  carriers: forwardedCarriers,
  loginStatus: 302,
  ask: (request) => ({
    target: '/auth/traefik',
    headers: [['Host', ours], ...endToEnd(request.headers), ...cookieLines(request), ...forwarded(request)],
  }),
}

/** The client's query ends up on our address, and Upgrade comes along (forward-auth.md B.12, 2 and 4). */
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

/** `lua.auth-request`: HEAD (forward-auth.md B.5). */
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

/** The request itself: method, Host, our prefix before the path; two Cookie lines joined by a comma (B.6, B.12). */
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

const navigation: readonly HeaderLine[] = [
  ['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
  ['Sec-Fetch-Site', 'none'],
]
const script: readonly HeaderLine[] = [
  ['Accept', '*/*'],
  ['Sec-Fetch-Mode', 'cors'],
  ['Sec-Fetch-Dest', 'empty'],
  ['Sec-Fetch-Site', 'same-origin'],
]
const upgrade: readonly HeaderLine[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]
const own: HeaderLine = ['Origin', 'https://app.example.com']
const foreign: HeaderLine = ['Origin', 'https://evil.example']

export type ExpectedAnswer =
  /** 200, and whose headers come with it. */
  | 'anonymous'
  | 'alice'
  /** To the sign-in: 302, or 401 with Location. */
  | 'sign in'
  /** 401 with nowhere to go. */
  | 'unauthorized'
  /** 401 with the page that says so; for nginx with a Location that leads to it. */
  | 'form not sent'
  | 'forbidden'

export interface Question {
  readonly name: string
  readonly request: ClientRequest
  readonly isSignedIn?: boolean
  readonly expected: ExpectedAnswer
}

/**
 * One decision, whichever gateway asks. Routes: `/public/*` public, `/optional/*` optional, `/admin/*` for a group
 * that alice is not in, `/read/*` GET alone, `/office/*` from 203.0.113.0/24 alone, `/far/*` from elsewhere, `/app/*`
 * signed in; nothing else.
 */
export const questions: readonly Question[] = [
  { name: 'a page', request: { uri: '/app/x?y=1&z=%2F', headers: navigation }, expected: 'sign in' },
  {
    name: 'a page, from a browser without Fetch Metadata',
    request: { uri: '/app/x', headers: [['Accept', 'text/html']] },
    expected: 'sign in',
  },
  { name: 'HEAD of a page', request: { method: 'HEAD', uri: '/app/x', headers: navigation }, expected: 'sign in' },
  { name: 'a script', request: { uri: '/app/x', headers: script }, expected: 'unauthorized' },
  { name: 'a program', request: { uri: '/app/x', headers: [['Accept', '*/*']] }, expected: 'unauthorized' },
  { name: 'no header at all', request: { uri: '/app/x' }, expected: 'unauthorized' },
  {
    name: 'a prefetch',
    request: { uri: '/app/x', headers: [...navigation, ['Sec-Purpose', 'prefetch;prerender']] },
    expected: 'unauthorized',
  },
  {
    name: 'a frame',
    request: { uri: '/app/x', headers: [navigation[0]!, ['Sec-Fetch-Mode', 'navigate'], ['Sec-Fetch-Dest', 'iframe']] },
    expected: 'unauthorized',
  },
  {
    name: 'a form',
    request: { method: 'POST', uri: '/app/x', headers: [...navigation, own] },
    expected: 'form not sent',
  },
  { name: 'PUT', request: { method: 'PUT', uri: '/app/x', headers: script }, expected: 'unauthorized' },
  { name: 'a method of WebDAV', request: { method: 'PROPFIND', uri: '/app/x' }, expected: 'unauthorized' },
  { name: 'a page, signed in', request: { uri: '/app/x', headers: navigation }, isSignedIn: true, expected: 'alice' },
  { name: 'a script, signed in', request: { uri: '/app/x', headers: script }, isSignedIn: true, expected: 'alice' },
  {
    name: 'a form of ours, signed in',
    request: { method: 'POST', uri: '/app/x', headers: [...navigation, own] },
    isSignedIn: true,
    expected: 'alice',
  },
  {
    name: 'a form of another site, signed in',
    request: { method: 'POST', uri: '/app/x', headers: [...navigation.slice(0, 3), foreign] },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'a form of nobody knows where, signed in',
    request: { method: 'POST', uri: '/app/x', headers: navigation.slice(0, 3) },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'what alice may not', request: { uri: '/admin/x' }, isSignedIn: true, expected: 'forbidden' },
  {
    name: 'what alice may not, as a page',
    request: { uri: '/admin', headers: navigation },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'what alice may not, in other letters',
    request: { uri: '/ADMIN/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'public', request: { uri: '/public/x?y' }, expected: 'anonymous' },
  { name: 'public, signed in', request: { uri: '/public/x' }, isSignedIn: true, expected: 'anonymous' },
  { name: 'public, posted', request: { method: 'POST', uri: '/public/x' }, expected: 'anonymous' },
  { name: 'optional', request: { uri: '/optional/x' }, expected: 'anonymous' },
  { name: 'optional, signed in', request: { uri: '/optional/x' }, isSignedIn: true, expected: 'alice' },
  { name: 'no route', request: { uri: '/nowhere', headers: navigation }, isSignedIn: true, expected: 'forbidden' },
  { name: 'no route, anonymous', request: { uri: '/', headers: navigation }, expected: 'forbidden' },
  { name: 'public in other letters', request: { uri: '/PUBLIC/x' }, expected: 'forbidden' },
  {
    name: 'a method the route has not',
    request: { method: 'DELETE', uri: '/read/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'a method in lower case',
    request: { method: 'get', uri: '/read/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'HEAD where GET may', request: { method: 'HEAD', uri: '/read/x' }, isSignedIn: true, expected: 'alice' },
  { name: 'OPTIONS that is no preflight', request: { method: 'OPTIONS', uri: '/app/x' }, expected: 'unauthorized' },
  {
    name: 'a preflight nobody allowed',
    request: { method: 'OPTIONS', uri: '/app/x', headers: [foreign, ['Access-Control-Request-Method', 'PUT']] },
    expected: 'unauthorized',
  },
  {
    name: 'a preflight of an origin that the route lists',
    request: {
      method: 'OPTIONS',
      uri: '/cors/x',
      headers: [
        ['Origin', 'https://spa.example.com'],
        ['Access-Control-Request-Method', 'PUT'],
      ],
    },
    expected: 'anonymous',
  },
  { name: 'TRACE', request: { method: 'TRACE', uri: '/public/x' }, expected: 'forbidden' },
  { name: 'another host', request: { host: 'evil.example', uri: '/public/x' }, expected: 'forbidden' },
  {
    name: 'another host, signed in',
    request: { host: 'evil.example', uri: '/app/x', headers: navigation },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'the host with its own port',
    request: { host: 'APP.example.com:443', uri: '/app/x' },
    isSignedIn: true,
    expected: 'alice',
  },
  {
    name: 'the host on another port',
    request: { host: 'app.example.com:8443', uri: '/app/x' },
    isSignedIn: true,
    expected: 'forbidden',
  },
  { name: 'from the office', request: { uri: '/office/x' }, isSignedIn: true, expected: 'alice' },
  { name: 'from elsewhere', request: { uri: '/far/x' }, isSignedIn: true, expected: 'forbidden' },
  { name: 'a websocket', request: { uri: '/app/ws', headers: [...upgrade, own] }, expected: 'unauthorized' },
  {
    name: 'a websocket, signed in',
    request: { uri: '/app/ws', headers: [...upgrade, own] },
    isSignedIn: true,
    expected: 'alice',
  },
  {
    name: 'a websocket of another site',
    request: { uri: '/app/ws', headers: [...upgrade, foreign] },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'a websocket of nobody knows where',
    request: { uri: '/app/ws', headers: upgrade },
    isSignedIn: true,
    expected: 'forbidden',
  },
  {
    name: 'who somebody else would like to be',
    request: { uri: '/app/x', headers: spoofed() },
    expected: 'unauthorized',
  },
  {
    name: 'who alice would like to be',
    request: { uri: '/app/x', headers: spoofed() },
    isSignedIn: true,
    expected: 'alice',
  },
  { name: 'who nobody would like to be', request: { uri: '/public/x', headers: spoofed() }, expected: 'anonymous' },
]

/** Names we set, in every spelling that somebody reads alike. */
function spoofed(): HeaderLine[] {
  return [
    'X-Auth-User',
    'x-auth-user',
    'X_Auth_User',
    'X-AUTH-EMAIL',
    'X-Auth-Groups',
    'X-Auth-Subject',
    'Remote-User',
  ].map((name) => [name, 'mallory'])
}
