import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { GatewayError } from '../core/errors.ts'
import { originOf } from '../core/target.ts'
import type { Decision } from '../gate/decision.ts'
import { tunnel } from '../proxy/tunnel.ts'
import { publicAddress, upstreamPath } from '../proxy/upstream-path.ts'
import { sendAnswerOnSocket } from './answer.ts'
import { decideThen, refusal } from './door.ts'
import { askingOf, type Exchange } from './exchange.ts'
import type { Observer } from './observer.ts'
import type { OpenTunnels } from './open-tunnels.ts'
import { decideProxied, headersFor } from './proxy-door.ts'
import type { Serving } from './serving.ts'

/** Upgrades (websocket) on the public listener: the same gate, then a tunnel in place of forwarding. */
export function createUpgradeDoor(serving: () => Serving, observer: Observer, tunnels: OpenTunnels) {
  return function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const exchange = observer.open(request, 'proxy')
    const current = serving()
    // Until a tunnel takes over, a client that goes away must not become an unhandled 'error'.
    socket.on('error', () => socket.destroy())
    decideThen({
      decide: () => decideProxied(current, exchange),
      answer: (decision) => answer(current, exchange, { socket, head }, decision),
      fail: (error) => fail(current, exchange, socket, error),
    })
  }

  interface Connection {
    readonly socket: Duplex
    readonly head: Buffer
  }

  function answer(current: Serving, exchange: Exchange, connection: Connection, decision: Decision): void {
    const { verdict, route, setCookies } = decision
    observer.decided(exchange, decision)
    if (verdict.kind !== 'allow') {
      const refused = refusal(current.refuser, exchange, verdict, decision)
      sendAnswerOnSocket(connection.socket, refused)
      observer.finished(exchange, refused.status)
      return
    }
    const upstream = current.upstreams.of(route!.index)
    if (upstream === undefined) throw new GatewayError('no_upstream', `route ${route!.name} has no upstream`)
    const target = exchange.target!
    const opened = tunnel(exchange.request, connection.socket, connection.head, {
      upstream,
      path: upstreamPath(target.path, upstream.config) + target.query,
      headers: headersFor(current, exchange, decision, upstream),
      upgrades: route!.upgrades,
      isOwnCookie: current.sessions.isOwnCookieName,
      setCookies,
      publicAddress: (address) => publicAddress(address, upstream.origin, originOf(target), upstream.config),
      onResponse(status, latency) {
        observer.upstreamAnswered(exchange, status, latency)
        observer.finished(exchange, status)
        if (status === 101) void opened.closed.then(observer.upgradeOpened(exchange))
      },
      onFailure: (error) => fail(current, exchange, connection.socket, error),
    })
    tunnels.add(opened, decision)
  }

  function fail(current: Serving, exchange: Exchange, socket: Duplex, error: unknown): void {
    observer.failed(exchange, error)
    const failure = current.refuser.fail(error, askingOf(exchange))
    sendAnswerOnSocket(socket, failure)
    observer.finished(exchange, failure.status)
  }
}
