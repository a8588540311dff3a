/** The whole gateway between a provider and an upstream that remembers, for requests written byte for byte. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { type MovableClock, movableClock } from '../contracts/key-value.ts'
import { openRogueProvider, type RogueProvider } from '../support/rogue-provider.ts'
import { ask, type HeaderLine, type RawAnswer, type RawRequest } from './wire.ts'

export const host = 'app.example.com'
export const origin = `https://${host}`

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: readonly HeaderLine[]
  readonly body: string
}

export interface Recorder {
  readonly url: string
  readonly port: number
  /** Every request that reached the upstream, upgrades included. */
  readonly seen: Seen[]
  close(): void
}

export interface World {
  readonly rogue: RogueProvider
  readonly upstream: Recorder
  readonly server: RunningServer
  readonly clock: MovableClock
  readonly port: number
  readonly forwardAuthPort: number
  /** Log lines as objects. */
  log(): readonly LogLine[]
  /** Lines of level `error`: there must be none, whatever came in. */
  errors(): readonly LogLine[]
  /** What the upstream saw during `act`. */
  watch<T>(act: () => Promise<T>): Promise<{ result: T; seen: readonly Seen[] }>
  /** A Cookie header with a new session of the provider's person. */
  signIn(site?: string): Promise<string>
  close(): Promise<void>
}

export type LogLine = Readonly<Record<string, unknown>>

export interface WorldOptions {
  readonly store?: 'memory' | 'cookie'
  /** YAML of the list `routes:`, with `{upstream}` for the recorder's address. */
  readonly routes: string
  /** More lines at the top of the file. `{issuer}` is replaced. */
  readonly more?: string
  readonly publicUrl?: string
  readonly trustedProxies?: string
  readonly session?: string
  /** A provider that is up already, and its owner closes it. */
  readonly rogue?: RogueProvider
}

const secret = 'a session secret of more than thirty-two letters, 7f1b'

export async function openWorld(options: WorldOptions): Promise<World> {
  const rogue = options.rogue ?? (await openRogueProvider())
  const upstream = await openRecorder()
  const clock = movableClock(Date.now())
  rogue.now = () => Math.floor(clock.now() / 1000)
  const text = fileOf(options, rogue, upstream)
  const lines: string[] = []
  const server = await startServer({
    source: {
      load: () => resolveConfig(parseConfigText(text, 'doorward.yaml', {}), { env: {}, networkInterfaces: {} }),
    },
    destination: {
      write: (line) => void lines.push(line),
      dropped: () => 0,
      flush() {},
      async close() {},
    },
    clock,
    watch: false,
  })
  const port = Number(server.addresses.public.port)
  const read: LogLine[] = []
  const log = () => {
    for (const line of lines.slice(read.length)) read.push(JSON.parse(line))
    return [...read]
  }
  return {
    rogue,
    upstream,
    server,
    clock,
    port,
    forwardAuthPort: Number(server.addresses.forwardAuth?.port),
    log,
    errors: () => log().filter(({ level }) => level === 'error' || level === 'fatal'),
    async watch(act) {
      const before = upstream.seen.length
      const result = await act()
      return { result, seen: upstream.seen.slice(before) }
    },
    signIn: (site = host) => signIn(port, rogue, site),
    async close() {
      await server.close()
      upstream.close()
      if (options.rogue === undefined) await rogue.close()
    },
  }
}

function fileOf(options: WorldOptions, rogue: RogueProvider, upstream: Recorder): string {
  const { store = 'memory', publicUrl = origin, trustedProxies = '[127.0.0.1/32]', session = '', more = '' } = options
  return `
version: 1
publicUrl: ${publicUrl}
listen: 127.0.0.1:0
forwardAuth: 127.0.0.1:0
operations: off
trustedProxies: ${trustedProxies}
limits: { drainDelay: 0s, drainTimeout: 1s }
provider:
  kind: oidc
  issuer: ${rogue.issuer}
  clientId: ${rogue.clientId}
  clientSecret: "${rogue.clientSecret}"
session:
  store: ${store}
  secret: "${secret}"
  ${session}
${more.replaceAll('{issuer}', rogue.issuer)}
routes:
${options.routes.replaceAll('{upstream}', upstream.url)}
`
}

export const navigation: readonly HeaderLine[] = [
  ['Accept', 'text/html,application/xhtml+xml'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
  ['Sec-Fetch-Site', 'none'],
]

/** The way a browser goes, in three requests: login, provider, callback. */
async function signIn(port: number, rogue: RogueProvider, site: string): Promise<string> {
  const headers = [['Host', site], ...navigation] as const
  const left = await ask(port, { target: '/_doorward/login?rd=/', headers })
  assert.equal(left.status, 302, left.body)
  const back = rogue.authorize(new URL(left.header('location')!))
  const target = back.pathname + back.search
  const arrived = await ask(port, { target, headers: [...headers, ['Cookie', cookiesOf(left)]] })
  assert.equal(arrived.status, 303, arrived.body)
  return cookiesOf(arrived)
}

/** The Cookie header a browser would send back, expired ones left out. */
export const cookiesOf = (answer: RawAnswer): string =>
  answer
    .all('set-cookie')
    .filter((line) => !/max-age=0/i.test(line))
    .map((line) => line.split(';', 1)[0]!)
    .join('; ')

/** A request to the public listener with Host and, where given, a Cookie. */
export const request = (target: string, more: Partial<RawRequest> & { cookie?: string } = {}): RawRequest => ({
  target,
  ...more,
  headers: [
    ['Host', host],
    ...(more.cookie === undefined ? [] : [['Cookie', more.cookie] as const]),
    ...(more.headers ?? []),
  ],
})

async function openRecorder(): Promise<Recorder> {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const server = http.createServer({ maxHeaderSize: 128 * 1024 }, async (incoming, response) => {
    let body = ''
    try {
      for await (const chunk of incoming) body += chunk.toString('latin1')
    } catch {
      // The gateway gave up on it; what had come is still worth remembering.
    }
    seen.push(seenOf(incoming, body))
    response.writeHead(200, { 'content-type': 'text/plain' }).end('upstream')
  })
  server.on('upgrade', (incoming, socket) => {
    seen.push(seenOf(incoming, ''))
    const accept = createHash('sha1')
      .update(`${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
  })
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function seenOf(incoming: http.IncomingMessage, body: string): Seen {
  const { method = '', url = '', rawHeaders } = incoming
  const headers: HeaderLine[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) headers.push([rawHeaders[i]!, rawHeaders[i + 1]!])
  return { method, url, headers, body }
}
