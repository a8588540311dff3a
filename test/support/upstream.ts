/** Upstreams for tests: one that says what it received, and one that writes whatever bytes it is told to. */
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'

export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly trailers: NodeJS.Dict<string>
  readonly body: string
}

export interface TestUpstream extends AsyncDisposable {
  readonly url: URL
  readonly port: number
  /** Connections opened so far. */
  readonly connections: () => number
  close(): Promise<void>
}

export interface EchoUpstream extends TestUpstream {
  /** Requests whose body arrived whole, in order. */
  readonly received: readonly ReceivedRequest[]
}

/**
 * Answers every request with what it received as JSON, unless `answer` does something else; a request that it
 * pauses is never read. Listens on a free port of 127.0.0.1.
 */
export async function openEchoUpstream(answer?: http.RequestListener): Promise<EchoUpstream> {
  const received: ReceivedRequest[] = []
  const server = http.createServer({ maxHeaderSize: 128 * 1024 }, async (request, response) => {
    if (answer !== undefined) answer(request, response)
    if (request.isPaused()) return
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const { method = '', url = '', headers, rawHeaders, trailers } = request
    const seen = { method, url, headers, rawHeaders, trailers, body: Buffer.concat(chunks).toString('latin1') }
    received.push(seen)
    if (answer !== undefined) return
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(seen))
  })
  return { ...(await listen(server)), received }
}

/**
 * Hands every connection's bytes to `onRequest`, once per request head, so that a test can write any answer,
 * however broken. `heads` are the request heads as received.
 */
export async function openRawUpstream(
  onRequest: (socket: net.Socket, head: string, count: number) => void,
): Promise<TestUpstream & { readonly heads: readonly string[] }> {
  const heads: string[] = []
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let text = ''
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        heads.push(text.slice(0, end))
        text = text.slice(end + 4)
        onRequest(socket, heads.at(-1)!, heads.length)
      }
    })
  })
  return { ...(await listen(server)), heads }
}

async function listen(server: net.Server): Promise<TestUpstream> {
  const sockets = new Set<net.Socket>()
  let connections = 0
  server.on('connection', (socket: net.Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((done) => server.close(done))
  }
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    port,
    connections: () => connections,
    close,
    [Symbol.asyncDispose]: close,
  }
}
