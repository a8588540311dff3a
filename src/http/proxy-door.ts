import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError } from '../core/errors.ts'
import { originOf, type Target } from '../core/target.ts'
import type { Decision } from '../gate/decision.ts'
import { preflightAnswer, upstreamCors } from '../policy/cors.ts'
import type { CompiledRoute } from '../policy/policy.ts'
import { forward } from '../proxy/forward.ts'
import { abandonBody } from '../proxy/request-body.ts'
import { type Forwarded, requestHeaders } from '../proxy/request-headers.ts'
import { respondStatic } from '../proxy/static-response.ts'
import { publicAddress, upstreamPath } from '../proxy/upstream-path.ts'
import type { Upstream } from '../proxy/upstreams.ts'
import { withoutCookies } from '../session/cookie-header.ts'
import { type Answer, closingIfUnclear, sendAnswer } from './answer.ts'
import { decideThen, refusal } from './door.ts'
import { askingOf, type Exchange } from './exchange.ts'
import type { Observer } from './observer.ts'
import type { OpenTunnels } from './open-tunnels.ts'
import { RequestCredentials, readTarget, refuseOwnPages, refuseUnclearHead } from './request-reading.ts'
import type { Serving } from './serving.ts'

/** In the log alone, as nginx has it: no status exists for a client that left. */
const clientClosedRequest = 499

/** Reads a request and asks the gate. Shared with upgrades, so that a websocket is judged by the same lines. */
export function decideProxied(current: Serving, exchange: Exchange): Decision | Promise<Decision> {
  const { request } = exchange
  refuseUnclearHead(request)
  const target = readTarget(request, current.surroundings)
  exchange.target = target
  refuseOwnPages(target, current.config.basePath)
  exchange.credentials = new RequestCredentials(request, target.method, current.trusted, true)
  return current.gate.decide(target, exchange.credentials)
}

/** Proxy mode: the gate decides, then bytes flow. */
export function createProxyDoor(serving: () => Serving, observer: Observer, tunnels: OpenTunnels) {
  return function serve(request: IncomingMessage, response: ServerResponse): void {
    const exchange = observer.open(request, 'proxy')
    const current = serving()
    decideThen({
      decide: () => decideProxied(current, exchange),
      answer: (decision) => answer(current, exchange, response, decision),
      fail: (error) => fail(current, exchange, response, error),
    })
  }

  function answer(current: Serving, exchange: Exchange, response: ServerResponse, decision: Decision): void {
    const { verdict } = decision
    observer.decided(exchange, decision)
    if (verdict.kind === 'allow') {
      if (decision.live !== undefined) tunnels.seen(decision.live)
      serveAllowed(current, exchange, response, decision)
      return
    }
    send(exchange, response, refusal(current.refuser, exchange, verdict, decision))
  }

  function serveAllowed(current: Serving, exchange: Exchange, response: ServerResponse, decision: Decision): void {
    const route = decision.route!
    const { request } = exchange
    if (decision.isPreflight && route.cors?.preflight === 'answer') {
      const { status, headers } = preflightAnswer(route.cors, preflightOf(request))
      send(exchange, response, { status, headers, body: '' })
      return
    }
    const cors = route.cors && upstreamCors(route.cors, request.headers.origin)
    const { respond } = current.config.routes[route.index]!
    if (respond !== undefined) {
      respondStatic(request, response, respond, decision.setCookies, cors)
      observer.finished(exchange, respond.status)
      return
    }
    const upstream = current.upstreams.of(route.index)
    if (upstream === undefined)
      throw new GatewayError('no_upstream', `route ${route.name} has no upstream; only the ingress may ask for it`)
    const target = exchange.target!
    forward(request, response, {
      upstream,
      method: target.method,
      path: upstreamPath(target.path, upstream.config) + target.query,
      headers: headersFor(current, exchange, decision, upstream),
      isOwnCookie: current.sessions.isOwnCookieName,
      setCookies: decision.setCookies,
      cors,
      publicAddress: (address) => publicAddress(address, upstream.origin, originOf(target), upstream.config),
      onResponse(status, latency) {
        observer.upstreamAnswered(exchange, status, latency)
        observer.finished(exchange, status)
      },
      onLongAnswer: (answer, endless) => tunnels.addAnswer(answer, decision, endless),
      onAbort: () => observer.finished(exchange, clientClosedRequest),
      onFailure: (error) => fail(current, exchange, response, error, route),
    })
  }

  /** @param route of a request that was let in */
  function fail(
    current: Serving,
    exchange: Exchange,
    response: ServerResponse,
    error: unknown,
    route?: CompiledRoute,
  ): void {
    observer.failed(exchange, error)
    const failure = current.refuser.fail(error, askingOf(exchange), route)
    send(exchange, response, closingIfUnclear(failure, exchange.request))
  }

  function send(exchange: Exchange, response: ServerResponse, answer: Answer): void {
    const { request } = exchange
    abandonBody(request)
    sendAnswer(response, answer, request.method === 'HEAD')
    observer.finished(exchange, answer.status)
  }
}

/** What the upstream of an allowed request gets to see. */
export function headersFor(current: Serving, exchange: Exchange, decision: Decision, upstream: Upstream): string[] {
  const { request, address, credentials } = exchange
  const target = exchange.target!
  const cookie = credentials?.cookie
  const { index } = decision.route!
  return requestHeaders(request.rawHeaders, {
    names: current.headerNames,
    host: upstream.config.host === 'keep' ? target.host : upstream.host,
    cookie: cookie === undefined ? undefined : withoutCookies(cookie, current.droppedCookies[index]!),
    forwarded: forwardedOf(target, address, upstream),
    identity: decision.headers.known,
    authorization: authorizationOf(current, decision),
    forwardAuthorization: current.config.routes[index]!.headers.forwardAuthorization,
  })
}

/** A preflight has nobody to speak for: with credentials of the gateway's it would be the gateway's own request. */
const authorizationOf = ({ authorizations }: Serving, { route, isPreflight }: Decision): string | undefined =>
  isPreflight ? undefined : authorizations[route!.index]!()

function forwardedOf(target: Target, address: string, { config }: Upstream): Forwarded {
  const { stripPrefix } = config
  const prefix = stripPrefix === undefined ? {} : { prefix: stripPrefix }
  return { for: address, host: target.host, proto: target.scheme, port: portOf(target), ...prefix }
}

export function portOf({ scheme, host }: Target): string {
  const colon = host.lastIndexOf(':')
  if (colon > host.lastIndexOf(']')) return host.slice(colon + 1)
  return scheme === 'https' ? '443' : '80'
}

const preflightOf = ({ headers }: IncomingMessage) => ({
  origin: headers.origin,
  method: headers['access-control-request-method'],
  headers: headers['access-control-request-headers'],
})
