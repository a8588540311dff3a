import { readFileSync } from 'node:fs'
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { TestContext } from 'node:test'

const certificate = (name: string) => readFileSync(new URL(`../proxy/certificates/${name}`, import.meta.url))

export interface IngressOptions {
  readonly port: number
  /** The gateways behind it, by host without port; `''` for every other host. */
  readonly gateways: Readonly<Record<string, IngressGateway>>
  readonly application: string
}

export interface IngressGateway {
  readonly port: number
  readonly forwardAuth: URL
}

/** How often it asked, by what the answer was. */
export interface Ingress {
  readonly answers: readonly { readonly host: string; readonly path: string; readonly status: number }[]
}

/**
 * An ingress that ends TLS for many hosts and asks about each request as Traefik's ForwardAuth does: own pages go to
 * the gateway unasked, the rest to the application where the answer is 200.
 */
export async function startIngress(t: TestContext, options: IngressOptions): Promise<Ingress> {
  const { port, gateways, application } = options
  const answers: { host: string; path: string; status: number }[] = []
  const tls = { key: certificate('server.key.pem'), cert: certificate('server.pem') }
  const server = https.createServer(tls, (request, response) => {
    serve(request, response).catch(() => response.destroy())
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '/', method = 'GET', headers } = request
    const host = headers.host ?? ''
    const gateway = gateways[host.split(':', 1)[0]!] ?? gateways['']!
    const seen = {
      ...headers,
      'x-forwarded-proto': 'https',
      'x-forwarded-host': host,
      'x-forwarded-for': '203.0.113.9',
    }
    if (url.startsWith('/_doorward/')) {
      return passOn(await ask(new URL(url, `http://127.0.0.1:${gateway.port}`), method, seen, request), response)
    }
    const asked = { ...seen, 'x-forwarded-method': method, 'x-forwarded-uri': url }
    const answer = await ask(new URL('/auth/traefik', gateway.forwardAuth), 'GET', asked)
    const status = answer.statusCode ?? 0
    answers.push({ host, path: url, status })
    if (status !== 200) return passOn(answer, response)
    answer.resume()
    const identity = Object.entries(answer.headers).filter(([name]) => name.startsWith('x-auth-'))
    const onward = { ...seen, ...Object.fromEntries(identity) }
    passOn(await ask(new URL(url, application), method, onward, request), response)
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { answers }
}

function ask(url: URL, method: string, headers: IncomingHttpHeaders, body?: IncomingMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, resolve)
    request.on('error', reject)
    if (body === undefined) request.end()
    else body.pipe(request)
  })
}

function passOn(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
  answer.pipe(response)
}
