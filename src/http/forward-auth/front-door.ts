import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError } from '../../core/errors.ts'
import type { Decision } from '../../gate/decision.ts'
import { abandonBody } from '../../proxy/request-body.ts'
import { closingIfUnclear, sendAnswer } from '../answer.ts'
import { type AuthEndpoint, authEndpoint, narrowed, rulesAsked } from '../compatibility/auth-endpoint.ts'
import { decideThen, refusal } from '../door.ts'
import { askingOf, type Exchange } from '../exchange.ts'
import type { Observer } from '../observer.ts'
import type { OpenTunnels } from '../open-tunnels.ts'
import {
  peerOf,
  RequestCredentials,
  refuseImpersonation,
  refuseOwnPages,
  refuseUnclearHead,
  targetFrom,
} from '../request-reading.ts'
import type { Serving } from '../serving.ts'
import type { ForwardAuthAdapter } from './adapter.ts'
import { envoy, gatewayApi } from './envoy.ts'
import { type IngressWitness, viaPublicHost } from './ingress-witness.ts'
import { nginx, nginxGateway } from './nginx.ts'
import { caddy, haproxy, traefik } from './x-forwarded.ts'

export const adapters: readonly ForwardAuthAdapter[] = [nginx, nginxGateway, traefik, caddy, haproxy, envoy, gatewayApi]

const prefix = '/auth/'
const endpoints = adapters.map(({ name, takesPath }) => prefix + name + (takesPath ? '/*' : ''))

export interface ForwardAuthParts {
  readonly serving: () => Serving
  readonly observer: Observer
  readonly tunnels: OpenTunnels
  readonly witness: IngressWitness
}

/**
 * Answers the ingress. Four steps: which adapter, is the peer trusted, what was asked, what does the gate say.
 * The adapters never see policy, and policy never sees adapters.
 */
export function createForwardAuthDoor({ serving, observer, tunnels, witness }: ForwardAuthParts) {
  const compatible = authEndpoint(serving().config, adapters)
  const known = [...endpoints, ...(compatible === undefined ? [] : [compatible.path])].join(', ')

  return function answerIngress(request: IncomingMessage, response: ServerResponse): void {
    // Envoy may send the body along, nginx a length without one: it plays no part in the answer.
    abandonBody(request)
    const found = findCompatible(request.url ?? '', compatible) ?? findAdapter(request.url ?? '')
    const exchange = observer.open(request, 'forward-auth', found?.adapter)
    const current = serving()
    decideThen({
      decide: () => decide(current, exchange, found),
      answer: (decision) => answer(current, exchange, response, decision, found),
      fail: (error) => fail(current, exchange, response, error),
    })
  }

  function decide(current: Serving, exchange: Exchange, found: Found | undefined): Decision | Promise<Decision> {
    const { request } = exchange
    refuseStrangers(current, request, witness)
    if (found === undefined) throw new GatewayError('not_found', `no such endpoint; there are ${known}`)
    const { adapter, pathBelow } = found
    refuseUnclearHead(request)
    refuseImpersonation(request)
    const { surroundings } = current
    const asked = adapter.asked(request, pathBelow)
    const target = targetFrom({ ...asked, scheme: asked.scheme ?? surroundings.scheme }, surroundings)
    exchange.target = target
    witness.asked(peerOf(request), viaPublicHost(adapter, request, target, current.config.publicUrls))
    refuseOwnPages(target, current.config.basePath)
    exchange.credentials = new RequestCredentials(request, target.method, current.trusted, false)
    // Read before the gate is asked: a rule that cannot be read must not depend on who is asking.
    const rules = found.allowStatus === undefined ? undefined : rulesAsked(pathBelow.slice(1))
    const decision = current.gate.decide(target, exchange.credentials)
    if (rules === undefined) return decision
    const context = { clientAddress: exchange.credentials.address, now: current.clock.now() }
    if (decision instanceof Promise) return decision.then((late) => narrowed(late, rules, context))
    return narrowed(decision, rules, context)
  }

  function answer(
    current: Serving,
    exchange: Exchange,
    response: ServerResponse,
    decision: Decision,
    found: Found | undefined,
  ): void {
    const { verdict } = decision
    observer.decided(exchange, decision)
    if (verdict.kind === 'allow') {
      if (decision.live !== undefined) tunnels.seen(decision.live)
      // Exactly 200, and every configured name: Envoy knows no other yes, and a name left out is a name believed.
      const status = found?.allowStatus ?? 200
      response.writeHead(status, decision.headers.all)
      response.end()
      observer.finished(exchange, status)
      return
    }
    const refused = refusal(current.refuser, exchange, verdict, decision)
    sendAnswer(response, refused, exchange.request.method === 'HEAD')
    observer.finished(exchange, refused.status)
  }

  function fail(current: Serving, exchange: Exchange, response: ServerResponse, error: unknown): void {
    observer.failed(exchange, error)
    const failure = current.refuser.fail(error, askingOf(exchange))
    sendAnswer(response, closingIfUnclear(failure, exchange.request), exchange.request.method === 'HEAD')
    observer.finished(exchange, failure.status)
  }
}

interface Found {
  readonly adapter: ForwardAuthAdapter
  /** What follows the endpoint, for adapters that take the original path there. */
  readonly pathBelow: string
  /** Of another product's endpoint, whose query is read too. */
  readonly allowStatus?: 200 | 202
}

function findCompatible(url: string, endpoint: AuthEndpoint | undefined): Found | undefined {
  if (endpoint === undefined || !url.startsWith(endpoint.path)) return undefined
  const rest = url.slice(endpoint.path.length)
  if (rest !== '' && !rest.startsWith('?')) return undefined
  return { adapter: endpoint.adapter, pathBelow: `/${rest}`, allowStatus: endpoint.allowStatus }
}

/** The query of an endpoint with a fixed address is not ours: Caddy appends the client's to it. */
function findAdapter(url: string): Found | undefined {
  if (!url.startsWith(prefix)) return undefined
  for (const adapter of adapters) {
    const base = prefix + adapter.name
    if (!url.startsWith(base)) continue
    const rest = url.slice(base.length)
    if (rest === '' || rest.startsWith('?')) return { adapter, pathBelow: `/${rest}` }
    if (adapter.takesPath && rest.startsWith('/')) return { adapter, pathBelow: rest }
  }
  return undefined
}

/** Before any header is read: what an unknown peer says of a request is worth nothing. */
function refuseStrangers({ surroundings }: Serving, request: IncomingMessage, witness: IngressWitness): void {
  const peer = peerOf(request)
  if (surroundings.trusted.has(peer)) return
  witness.stranger(peer)
  throw new GatewayError(
    'peer_untrusted',
    `${peer} asked the forward-auth listener and is not trusted; if it is your ingress, add to the file: trustedProxies: [${peer}]`,
  )
}
