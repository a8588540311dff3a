import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { GatewayError } from '../core/errors.ts'
import { type Answer, closingIfUnclear, withHeaders } from './answer.ts'
import type { CallbackFlights } from './callback-flights.ts'
import { askingOf, type Exchange } from './exchange.ts'
import type { Observer } from './observer.ts'
import { type OwnRequest, readOwnRequest } from './own-request.ts'
import { callback } from './routes/callback.ts'
import { login } from './routes/login.ts'
import { getLogout, postLogout, signedOut } from './routes/logout.ts'
import { renew } from './routes/renew.ts'
import { refresh, session } from './routes/session.ts'
import type { Serving } from './serving.ts'

export interface AppParts {
  readonly serving: () => Serving
  readonly observer: Observer
  readonly flights: CallbackFlights
  readonly basePath: string
  /** Gets the handler of our own pages, returns the server that calls it for those alone. */
  readonly serverFactory: (ownPages: (request: IncomingMessage, response: ServerResponse) => void) => Server
}

/** Bytes of a posted form of ours: two short fields. */
const formLimit = 16 * 1024

type Page = (own: OwnRequest, parameters: Readonly<Record<string, string>>) => Promise<Answer>

/** Our own pages under `basePath`. Everything else never comes to Fastify: see docs/decisions/around-the-router.md. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { serving, observer, flights, basePath } = parts
  const app = Fastify({
    serverFactory: (handler) => parts.serverFactory(handler),
    bodyLimit: formLimit,
    exposeHeadRoutes: false,
    // Its own 400 would bypass our words; paths were checked before they came here.
    frameworkErrors: (error, request, reply) => void fail(error, request, reply),
  })
  const open = new WeakMap<FastifyRequest, Exchange>()

  const pages: readonly { method: 'GET' | 'POST'; path: string; page: Page }[] = [
    { method: 'GET', path: '/login', page: login },
    { method: 'GET', path: '/callback', page: (own) => callback(own, flights, undefined) },
    { method: 'GET', path: '/callback/:provider', page: (own, { provider }) => callback(own, flights, provider) },
    { method: 'GET', path: '/logout', page: getLogout },
    { method: 'POST', path: '/logout', page: postLogout },
    { method: 'GET', path: '/signed-out', page: signedOut },
    { method: 'GET', path: '/renew', page: renew },
    { method: 'GET', path: '/session', page: session },
    { method: 'POST', path: '/session/refresh', page: refresh },
  ]

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(body.toString()))
  })
  app.addHook('onRequest', async (request) => {
    open.set(request, observer.open(request.raw, 'own'))
  })
  for (const { method, path, page } of pages) {
    app.route({ method, url: basePath + path, handler: (request, reply) => answer(request, reply, page) })
  }
  app.setNotFoundHandler((request, reply) => fail(notFound(request.raw.url ?? ''), request, reply))
  app.setErrorHandler((error, request, reply) => fail(error, request, reply))
  return app

  async function answer(request: FastifyRequest, reply: FastifyReply, page: Page): Promise<FastifyReply> {
    const exchange = exchangeOf(request)
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
    const own = readOwnRequest(serving(), exchange, form)
    return send(exchange, reply, await page(own, request.params as Readonly<Record<string, string>>))
  }

  /** A path we know with a method we do not: 405, and nothing of the flow is used up. */
  function notFound(url: string): GatewayError & { allow?: string } {
    const path = url.split('?', 1)[0]!
    const methods = pages.filter((page) => basePath + page.path === path).map((page) => page.method)
    if (methods.length === 0) return new GatewayError('not_found')
    return Object.assign(new GatewayError('method_not_allowed'), { allow: methods.join(', ') })
  }

  function fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const exchange = exchangeOf(request)
    const planned = plannedError(error)
    observer.failed(exchange, planned)
    const failure = serving().refuser.fail(planned, askingOf(exchange))
    const allow = planned instanceof GatewayError && 'allow' in planned ? { allow: String(planned.allow) } : {}
    return send(exchange, reply, closingIfUnclear(withHeaders(failure, allow), request.raw))
  }

  function send(exchange: Exchange, reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
    observer.finished(exchange, status)
    for (const [name, value] of Object.entries(headers)) {
      if (value.length > 0) reply.header(name, typeof value === 'string' ? value : [...value])
    }
    return reply.code(status).send(body)
  }

  function exchangeOf(request: FastifyRequest): Exchange {
    return open.get(request) ?? observer.open(request.raw, 'own')
  }
}

/** What Fastify itself refuses (a content type, a length) is the client's mistake, not ours. */
function plannedError(error: unknown): unknown {
  if (error instanceof GatewayError || !(error instanceof Error)) return error
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if (status === 413) return new GatewayError('body_too_large', error.message)
  return status < 500 ? new GatewayError('bad_request', error.message) : error
}
