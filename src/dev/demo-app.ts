import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { adminPage, homePage, notFoundPage, publicPage } from './demo-pages.ts'
import { createEcho } from './echo.ts'
import { closeServer, listen, originOf, sendPage } from './loopback.ts'
import { whoIs } from './visitor.ts'

/** The application behind the demo gateway. It knows nothing of logins: it believes the headers it receives. */
export interface DemoApp {
  readonly url: string
  close(): Promise<void>
}

export interface DemoAppOptions {
  readonly host?: string
  /** 0 (default) lets the system choose. */
  readonly port?: number
  /** A command line to show for calling /api/whoami without a browser. */
  readonly apiHint?: string
}

/** @throws Error where `ws` (a development dependency) is not installed, or the port is taken */
export async function startDemoApp({ host = '127.0.0.1', port = 0, apiHint }: DemoAppOptions = {}): Promise<DemoApp> {
  const echo = await createEcho()
  const server = createServer((request, response) => answer(request, response, apiHint))
  server.on('upgrade', (request, socket, head) => {
    if (pathOf(request) === '/ws') echo.accept(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
  })
  await listen(server, host, port)
  return {
    url: originOf(server, host),
    async close() {
      echo.close()
      await closeServer(server)
    },
  }
}

function answer(request: IncomingMessage, response: ServerResponse, apiHint: string | undefined): void {
  const path = pathOf(request)
  if (path === '/api/whoami') sendJson(response, whoIs(request))
  else if (path === '/sse') tellTheTime(response)
  else if (path === '/') sendPage(response, 200, homePage(whoIs(request), headersOf(request), apiHint))
  else if (path === '/public' || path === '/public/') sendPage(response, 200, publicPage(whoIs(request)))
  else if (path === '/admin' || path === '/admin/') sendPage(response, 200, adminPage(whoIs(request)))
  else sendPage(response, 404, notFoundPage())
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0]!

/** In the order and the spelling they came in. */
function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  return rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1]!]] : [],
  )
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(value)}\n`)
}

/** Server-sent events, one a second: shows that the gateway does not hold streams back. */
function tellTheTime(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const tell = () => response.write(`data: ${new Date().toISOString()}\n\n`)
  tell()
  const timer = setInterval(tell, 1000)
  response.on('close', () => clearInterval(timer))
}
