import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly bytes: number
}

/**
 * The application behind a gateway under test: says as JSON what it received, echoes websockets, and does as it is
 * told at single paths. It has no login of its own.
 */
export interface Application {
  readonly url: string
  /** Requests that came, in order, upgrades included. */
  readonly received: readonly Received[]
  /** The last request. @throws Error where none came */
  last(): Received
  readonly sockets: ReadonlySet<WebSocket>
  /** Answers a path (without its query) in another way. */
  on(path: string, listener: RequestListener): void
  close(): Promise<void>
}

export async function startApplication(): Promise<Application> {
  const received: Received[] = []
  const listeners = new Map<string, RequestListener>()
  const websockets = new WebSocketServer({ noServer: true })
  const server = http.createServer((request, response) => void serve(request, response))
  server.on('checkContinue', (request, response) => {
    response.writeContinue()
    void serve(request, response)
  })
  server.on('upgrade', (request, socket, head) => {
    received.push(seen(request, 0))
    websockets.handleUpgrade(request, socket, head, (peer) => {
      peer.on('error', () => peer.terminate())
      peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
    })
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const listener = listeners.get((request.url ?? '').split('?', 1)[0]!)
    if (listener !== undefined) {
      received.push(seen(request, 0))
      listener(request, response)
      return
    }
    let bytes = 0
    try {
      for await (const chunk of request) bytes += chunk.length
    } catch {
      return
    }
    const one = seen(request, bytes)
    received.push(one)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(one))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    last() {
      const one = received.at(-1)
      if (one === undefined) throw new Error('nothing came to the application')
      return one
    },
    sockets: websockets.clients,
    on: (path, listener) => void listeners.set(path, listener),
    async close() {
      for (const peer of websockets.clients) peer.terminate()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const seen = ({ method = '', url = '', headers, rawHeaders }: IncomingMessage, bytes: number): Received => ({
  method,
  url,
  headers,
  rawHeaders,
  bytes,
})
