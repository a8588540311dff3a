import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { CompatibilityConfig } from '../config/compatibility-config.ts'
import { GatewayError } from '../core/errors.ts'
import { hasBody } from '../proxy/request-framing.ts'
import { type Answer, closingIfUnclear, withHeaders } from './answer.ts'
import type { CallbackFlights } from './callback-flights.ts'
import { compatiblePages } from './compatibility/pages.ts'
import { askingOf, type Exchange } from './exchange.ts'
import type { Observer } from './observer.ts'
import { type OwnRequest, type ProviderRequest, readOwnRequest, readProviderRequest } from './own-request.ts'
import type { ProviderLogout } from './provider-logout.ts'
import { backchannelLogout } from './routes/backchannel-logout.ts'
import { callback } from './routes/callback.ts'
import { frontchannelLogout } from './routes/frontchannel-logout.ts'
import { jwks } from './routes/jwks.ts'
import { login } from './routes/login.ts'
import { getLogout, postLogout, signedOut } from './routes/logout.ts'
import { renew } from './routes/renew.ts'
import { refresh, session } from './routes/session.ts'
import type { Serving } from './serving.ts'

export interface AppParts {
  readonly serving: () => Serving
  readonly observer: Observer
  readonly flights: CallbackFlights
  readonly providerLogout: ProviderLogout
  readonly basePath: string
  readonly compatibility: CompatibilityConfig | undefined
  /** Gets the handler of our own pages, returns the server that calls it for those alone. */
  readonly serverFactory: (ownPages: (request: IncomingMessage, response: ServerResponse) => void) => Server
}

/** Bytes of a posted form: two short fields of ours, or a logout token. */
const formLimit = 16 * 1024

type Parameters = Readonly<Record<string, string>>
type Page = (own: OwnRequest, parameters: Parameters) => Promise<Answer>
type ProviderPage = (call: ProviderRequest) => Promise<Answer>
type Serve = (exchange: Exchange, form: URLSearchParams, parameters: Parameters) => Promise<Answer>

/** Our own pages under `basePath`. Everything else never comes to Fastify: see docs/decisions/around-the-router.md. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { serving, observer, flights, providerLogout, basePath } = parts
  const app = Fastify({
    serverFactory: (handler) => parts.serverFactory(handler),
    bodyLimit: formLimit,
    exposeHeadRoutes: false,
    // Its own 400 would bypass our words; paths were checked before they came here.
    frameworkErrors: (error, request, reply) => void fail(error, request, reply),
  })
  const open = new WeakMap<FastifyRequest, Exchange>()

  const own =
    (page: Page): Serve =>
    (exchange, form, parameters) =>
      page(readOwnRequest(serving(), exchange, form), parameters)
  const byProvider =
    (page: ProviderPage): Serve =>
    (exchange, form) =>
      page(readProviderRequest(serving(), exchange, form))

  const pages: readonly { method: 'GET' | 'POST'; path: string; serve: Serve }[] = [
    { method: 'GET', path: '/login', serve: own(login) },
    { method: 'GET', path: '/callback', serve: own((request) => callback(request, flights, undefined)) },
    {
      method: 'GET',
      path: '/callback/:provider',
      serve: own((request, { provider }) => callback(request, flights, provider)),
    },
    { method: 'GET', path: '/logout', serve: own(getLogout) },
    { method: 'POST', path: '/logout', serve: own(postLogout) },
    { method: 'GET', path: '/signed-out', serve: own(signedOut) },
    { method: 'GET', path: '/renew', serve: own(renew) },
    { method: 'GET', path: '/session', serve: own(session) },
    { method: 'POST', path: '/session/refresh', serve: own(refresh) },
    { method: 'GET', path: '/jwks.json', serve: byProvider(jwks) },
    { method: 'GET', path: '/frontchannel-logout', serve: own(frontchannelLogout) },
    {
      method: 'POST',
      path: '/backchannel-logout',
      serve: byProvider((call) => backchannelLogout(call, providerLogout)),
    },
    ...compatiblePages(parts.compatibility).map(({ method, path, serve }) => ({ method, path, serve: own(serve) })),
  ]

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(body.toString()))
  })
  app.addHook('onRequest', async (request, reply) => {
    open.set(request, observer.open(request.raw, 'own'))
    if (hasBody(request.raw)) endSlowForm(request, reply)
  })
  for (const { method, path, serve } of pages) {
    app.route({ method, url: basePath + path, handler: (request, reply) => answer(request, reply, serve) })
  }
  app.setNotFoundHandler((request, reply) => fail(notFound(request.raw.url ?? ''), request, reply))
  app.setErrorHandler((error, request, reply) => fail(error, request, reply))
  return app

  async function answer(request: FastifyRequest, reply: FastifyReply, serve: Serve): Promise<FastifyReply> {
    const exchange = exchangeOf(request)
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
    return send(exchange, reply, await serve(exchange, form, request.params as Parameters))
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

  /** A form of ours is two short fields: one that comes byte by byte only holds the connection. */
  function endSlowForm(request: FastifyRequest, reply: FastifyReply): void {
    const giveUp = (): void => {
      if (!reply.sent) fail(new GatewayError('body_timeout'), request, reply.header('connection', 'close'))
    }
    const timer = setTimeout(giveUp, serving().config.limits.headersTimeout).unref()
    request.raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
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
