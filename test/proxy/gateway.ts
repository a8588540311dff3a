/** The smallest server around `forward` and `tunnel`: no gate, one route, errors as their code. */
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import type { RouteConfig, UpstreamConfig } from '../../src/config/config.ts'
import type { GatewayError } from '../../src/core/errors.ts'
import { forward } from '../../src/proxy/forward.ts'
import type { ForwardPlan } from '../../src/proxy/forward-plan.ts'
import { createHeaderNames } from '../../src/proxy/header-names.ts'
import { requestHeaders } from '../../src/proxy/request-headers.ts'
import { type Tunnel, tunnel } from '../../src/proxy/tunnel.ts'
import { answerUpgrade } from '../../src/proxy/upgrade-answer.ts'
import { openUpstreams, type Upstream } from '../../src/proxy/upstreams.ts'

export const upstreamConfig = (url: URL, changes: Partial<UpstreamConfig> = {}): UpstreamConfig => ({
  url,
  socketPath: undefined,
  stripPrefix: undefined,
  addPrefix: '',
  host: 'keep',
  caFile: undefined,
  clientCertificate: undefined,
  connectTimeout: 10_000,
  headersTimeout: 10_000,
  bodyTimeout: 0,
  maxBody: 128 * 1024 * 1024,
  connections: 64,
  ...changes,
})

export const routeTo = (upstream: UpstreamConfig): RouteConfig => ({
  name: 'test',
  host: undefined,
  path: '/*',
  methods: undefined,
  allow: 'public',
  accept: ['session'],
  provider: undefined,
  upstream,
  respond: undefined,
  headers: { set: [], encoding: 'ascii', groupSeparator: ',', basicAuth: undefined, forwardAuthorization: false },
  impersonate: undefined,
  assertionAudience: undefined,
  encodedSlashes: 'refuse',
  origins: [],
  cors: undefined,
  dropCookies: [],
  upgrades: ['websocket'],
})

export interface TestGateway extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly failures: readonly GatewayError[]
  readonly tunnels: readonly Tunnel[]
}

export interface GatewayChanges {
  readonly upstream?: Partial<UpstreamConfig>
  readonly identity?: readonly string[]
  readonly plan?: Partial<ForwardPlan>
  readonly upgrades?: readonly string[]
}

export async function openGateway(url: URL, changes: GatewayChanges = {}): Promise<TestGateway> {
  const failures: GatewayError[] = []
  const tunnels: Tunnel[] = []
  const upstreams = openUpstreams([routeTo(upstreamConfig(url, changes.upstream))])
  const upstream = upstreams.of(0)!
  const server = http.createServer((request, response) => serve(request, response))
  server.on('checkContinue', (request, response) => serve(request, response))
  server.on('upgrade', (request, socket, head) => {
    const plan = {
      ...planFor(request, upstream, changes),
      upgrades: changes.upgrades ?? ['websocket'],
      onFailure: (error: GatewayError) => {
        failures.push(error)
        answerUpgrade(socket, error.status, ['Content-Type', 'text/plain'], error.code)
      },
    }
    tunnels.push(tunnel(request, socket, head, plan))
  })

  function serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const onFailure = (error: GatewayError): void => {
      failures.push(error)
      response.writeHead(error.status, { 'Content-Type': 'text/plain' }).end(error.code)
    }
    forward(request, response, { ...planFor(request, upstream, changes), onFailure })
  }

  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  async function close(): Promise<void> {
    for (const each of tunnels) each.close(1001)
    server.closeAllConnections()
    await Promise.all([new Promise((done) => server.close(done)), upstreams.destroy()])
  }
  return { port, url: `http://127.0.0.1:${port}`, failures, tunnels, [Symbol.asyncDispose]: close }
}

const names = createHeaderNames(['X-Auth-User', 'X-Department'])

function planFor(request: http.IncomingMessage, upstream: Upstream, changes: GatewayChanges) {
  return {
    upstream,
    method: request.method ?? '',
    path: request.url ?? '',
    headers: requestHeaders(request.rawHeaders, {
      names,
      host: request.headers.host ?? '',
      cookie: request.headers.cookie,
      forwarded: { for: '127.0.0.1', host: 'app.example.com', proto: 'https', port: '443' },
      identity: changes.identity ?? [],
      forwardAuthorization: false,
    }),
    isOwnCookie: (name: string) => name.toLowerCase().startsWith('__host-http-dw-'),
    setCookies: [],
    publicAddress: undefined,
    ...changes.plan,
  }
}

/** Writes bytes on a connection and gives back everything until it closes, or nothing more came for `quiet` ms. */
export async function exchangeBytes(port: number, bytes: string | Buffer, quiet = 150): Promise<RawAnswer> {
  const socket = net.connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  let ended: RawAnswer['ended'] = 'open'
  await new Promise<void>((done) => {
    let timer = setTimeout(done, Math.max(quiet * 4, 2000))
    const later = (): void => {
      clearTimeout(timer)
      timer = setTimeout(done, quiet)
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      later()
    })
    socket.on('end', () => {
      ended = 'end'
    })
    socket.on('error', () => {
      ended = 'reset'
    })
    socket.on('close', () => {
      clearTimeout(timer)
      done()
    })
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
  socket.destroy()
  return { text: Buffer.concat(chunks).toString('latin1'), ended }
}

export interface RawAnswer {
  readonly text: string
  /** Whether the gateway ended the connection, reset it, or left it open. */
  readonly ended: 'open' | 'end' | 'reset'
}

export const statusOf = (answer: RawAnswer): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer.text)?.[1])
