/**
 * A small Kubernetes API: it authenticates, impersonates and refuses as the real one does, and serves what a dashboard
 * asks first: who am I, namespaces, a watch, exec by websocket and by SPDY/3.1 (both echo).
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  anonymous,
  createOidcAuthenticator,
  impersonatedBy,
  type KubernetesOidc,
  KubernetesRefusal,
  type KubernetesUser,
  tokenOf,
} from './kubernetes-users.ts'

export type { KubernetesOidc, KubernetesUser } from './kubernetes-users.ts'

export interface KubernetesOptions {
  /** Whose tokens it trusts; undefined: service accounts alone, as in a managed cluster without OIDC. */
  readonly oidc?: KubernetesOidc
  /** Users and groups that may list, watch and exec. `system:masters` always may. */
  readonly allowed: readonly string[]
}

export interface KubernetesRequest {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  /** Who it was taken for in the end; undefined where it got 401. */
  readonly user: KubernetesUser | undefined
  readonly code: number
}

export interface KubernetesApi {
  readonly url: string
  /** Token -> `system:serviceaccount:NAMESPACE:NAME`. Change it to rotate. */
  readonly serviceAccounts: Map<string, string>
  /** Service accounts whose cluster role holds the verb `impersonate`. */
  readonly impersonators: Set<string>
  readonly received: readonly KubernetesRequest[]
  /** The last request. @throws Error where none came */
  last(): KubernetesRequest
  /** Why tokens got 401, in order: `ERR_JWT_EXPIRED: ...`. */
  readonly refusals: readonly string[]
  /** Sends one more event to every open watch. */
  emit(namespace: string): void
  /** Watches that are open. */
  watches(): number
  close(): Promise<void>
}

const exec = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/exec$/
/** Newest first, as the real one prefers them. */
const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io']
const spdyProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io']

export async function startKubernetesApi({ oidc, allowed }: KubernetesOptions): Promise<KubernetesApi> {
  const received: KubernetesRequest[] = []
  const refusals: string[] = []
  const serviceAccounts = new Map<string, string>()
  const impersonators = new Set<string>()
  const watches = new Set<ServerResponse>()
  const sockets = new Set<Duplex>()
  const byOidc = oidc && createOidcAuthenticator(oidc, (why) => void refusals.push(why))
  const websockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => channelProtocols.find((protocol) => offered.has(protocol)) ?? false,
  })

  async function requesterOf(request: IncomingMessage): Promise<KubernetesUser> {
    const token = tokenOf(request)
    if (token === undefined) return anonymous
    const account = serviceAccounts.get(token)
    if (account !== undefined) {
      return { username: account, groups: ['system:serviceaccounts', 'system:authenticated'] }
    }
    if (byOidc !== undefined) return byOidc(token)
    refusals.push('no authenticator knows the token')
    throw new KubernetesRefusal(401, 'Unauthorized', 'Unauthorized')
  }

  /** Authentication, impersonation, authorization: what is asked, by whom, and the answer's code. */
  async function admit(request: IncomingMessage): Promise<KubernetesUser> {
    const { method = '', url = '', headers, rawHeaders } = request
    let user: KubernetesUser | undefined
    const remember = (code: number) => void received.push({ method, url, headers, rawHeaders, user, code })
    try {
      const requester = await requesterOf(request)
      user = requester
      user = impersonatedBy(requester, request, impersonators.has(requester.username))
      authorize(user, request, allowed)
      remember(200)
      return user
    } catch (error) {
      remember(error instanceof KubernetesRefusal ? error.code : 500)
      throw error
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume()
    const user = await admit(request)
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://kubernetes')
    const asked = `${request.method} ${pathname}`
    if (asked === 'GET /version') json(response, 200, { major: '1', minor: '33' })
    else if (asked === `POST ${selfSubjectReview}`) json(response, 201, reviewOf(user))
    else if (asked === `POST ${selfSubjectRulesReview}`) json(response, 201, { kind: 'SelfSubjectRulesReview' })
    else if (asked !== 'GET /api/v1/namespaces') throw new KubernetesRefusal(404, 'NotFound', `${pathname} not found`)
    else if (/^(?:1|true)$/.test(searchParams.get('watch') ?? '')) watch(response)
    else json(response, 200, { kind: 'NamespaceList', apiVersion: 'v1', items: ['default'].map(namespaceOf) })
  }

  function watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(eventOf('default'))
    watches.add(response)
    response.on('close', () => watches.delete(response))
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    await admit(request)
    const { pathname } = new URL(request.url ?? '', 'http://kubernetes')
    const protocol = request.headers.upgrade?.toLowerCase()
    if (!exec.test(pathname)) throw new KubernetesRefusal(404, 'NotFound', `${pathname} not found`)
    if (protocol === 'websocket') websockets.handleUpgrade(request, socket, head, echoChannels)
    else if (protocol === 'spdy/3.1') echoSpdy(request, socket, head)
    else throw new KubernetesRefusal(400, 'BadRequest', 'unable to upgrade')
  }

  const server = http.createServer((request, response) => {
    serve(request, response).catch((error: unknown) => json(response, codeOf(error), statusOf(error)))
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    upgrade(request, socket, head).catch((error: unknown) => {
      const body = JSON.stringify(statusOf(error))
      const lines = ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close']
      const code = codeOf(error)
      socket.end(`HTTP/1.1 ${code} ${http.STATUS_CODES[code]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serviceAccounts,
    impersonators,
    received,
    last() {
      const one = received.at(-1)
      if (one === undefined) throw new Error('nothing came to the Kubernetes API')
      return one
    },
    refusals,
    emit(namespace) {
      for (const response of watches) response.write(eventOf(namespace))
    },
    watches: () => watches.size,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const selfSubjectReview = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
export const selfSubjectRulesReview = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'

/** `system:basic-user` and `system:public-info-viewer`, then what the test allows. */
function authorize(user: KubernetesUser, request: IncomingMessage, allowed: readonly string[]): void {
  const { pathname } = new URL(request.url ?? '', 'http://kubernetes')
  if (pathname === '/version') return
  const authenticated = user.groups.includes('system:authenticated')
  if (authenticated && (pathname === selfSubjectReview || pathname === selfSubjectRulesReview)) return
  const names = [user.username, ...user.groups]
  if (names.some((name) => name === 'system:masters' || allowed.includes(name))) return
  const [verb, resource] = exec.test(pathname) ? ['create', 'pods/exec'] : ['list', 'namespaces']
  const message = `${resource} is forbidden: User "${user.username}" cannot ${verb} resource "${resource}" in API group "" at the cluster scope`
  throw new KubernetesRefusal(403, 'Forbidden', message)
}

/** Standard input is channel 0, standard output channel 1: the first byte of each message says so. */
function echoChannels(peer: WebSocket): void {
  peer.on('error', () => peer.terminate())
  peer.on('message', (data: Buffer) => peer.send(Buffer.concat([Buffer.of(1), data.subarray(1)]), { binary: true }))
}

/** The frames of SPDY are nothing to a gateway: every byte comes back. */
function echoSpdy(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const offered = (request.headers['x-stream-protocol-version'] ?? '').toString().split(/, */)
  const protocol = spdyProtocols.find((one) => offered.includes(one))
  if (protocol === undefined) throw new KubernetesRefusal(403, 'Forbidden', 'unable to upgrade: no common protocol')
  const lines = ['Connection: Upgrade', 'Upgrade: SPDY/3.1', `X-Stream-Protocol-Version: ${protocol}`]
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
  socket.write(head)
  socket.pipe(socket)
}

const namespaceOf = (name: string) => ({ metadata: { name } })
const eventOf = (name: string): string => `${JSON.stringify({ type: 'ADDED', object: namespaceOf(name) })}\n`

const reviewOf = (userInfo: KubernetesUser) => ({
  kind: 'SelfSubjectReview',
  apiVersion: 'authentication.k8s.io/v1',
  status: { userInfo },
})

const codeOf = (error: unknown): number => (error instanceof KubernetesRefusal ? error.code : 500)

function statusOf(error: unknown) {
  const { reason, message } =
    error instanceof KubernetesRefusal ? error : { reason: 'InternalError', message: String(error) }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: codeOf(error) }
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
