/** Owns upgraded connections (websocket): the way to the upstream's 101, then bytes both ways until either ends. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../core/errors.ts'
import { hasBody, refuseUnsafeFraming } from './request-framing.ts'
import { problemOf, type ResponseHeaderRules, responseHeaders } from './response-headers.ts'
import { openTunnelPipes, type TunnelPipes } from './tunnel-pipes.ts'
import { endSoon, writeHead } from './upgrade-answer.ts'
import { upstreamFailure } from './upstream-failure.ts'
import type { Upstream } from './upstreams.ts'

export interface TunnelPlan extends ResponseHeaderRules {
  readonly upstream: Upstream
  /** Path and query for the upstream, from `upstreamPath`. */
  readonly path: string
  /** From `requestHeaders`; Connection and Upgrade are added here. */
  readonly headers: string[]
  /** Protocols the route switches to, lower case. */
  readonly upgrades: readonly string[]
  /** @param latency milliseconds since `tunnel` was called */
  onResponse?(status: number, latency: number): void
  /** Nothing has been sent to the client: write the error with `answerUpgrade`. */
  onFailure(error: GatewayError): void
}

export interface Tunnel {
  /**
   * Ends the tunnel: a websocket gets a Close frame with this code (4401 session ended, 1001 going away) after the
   * frame it is in, other protocols and a websocket that is not open yet are cut.
   */
  close(code: number): void
  /** Settles once the client's connection is closed, whoever did it. Never rejects. */
  readonly closed: Promise<void>
}

/** Bytes a client may send ahead of the 101; they wait here, and reach the upstream only after it. */
const maxEarly = 64 * 1024
/** Milliseconds between TCP keep-alive probes: a client that vanished must not hold its tunnel for ever. */
const keepAlive = 30_000

/**
 * Carries one allowed upgrade request. No byte of the client reaches the upstream before its 101, and that 101
 * has to switch to the very protocol that was asked for: everything else would let a second request hide behind
 * the first. Any other answer of the upstream is passed on as it is.
 *
 * @param socket,head as Node's `upgrade` event gives them
 */
export function tunnel(request: IncomingMessage, socket: Duplex, head: Buffer, plan: TunnelPlan): Tunnel {
  const upgrade = new Upgrade(request, socket, head, plan)
  upgrade.start()
  return { closed: upgrade.closed.promise, close: (code) => upgrade.close(code) }
}

/** RFC 9110 7.8: exactly one protocol, and one that the route lists. h2c would tunnel requests past the gate. */
function protocolOf(request: IncomingMessage, upgrades: readonly string[]): string {
  const asked = request.headers.upgrade ?? ''
  const protocol = asked.toLowerCase()
  if (!upgrades.includes(protocol) || protocol === 'h2c') throw new GatewayError('upgrade_refused', `upgrade: ${asked}`)
  if (hasBody(request)) throw new GatewayError('bad_request', 'an upgrade request with a body')
  refuseUnsafeFraming(request)
  return asked
}

class Upgrade implements Dispatcher.DispatchHandler {
  readonly closed = Promise.withResolvers<void>()
  private readonly startedAt = performance.now()
  private readonly early: Buffer[] = []
  private earlyBytes = 0
  private protocol = ''
  private controller: Dispatcher.DispatchController | undefined
  private pipes: TunnelPipes | undefined
  /** The upstream's refusal is being passed on. */
  private answering = false
  private over = false
  private readonly request: IncomingMessage
  private readonly client: Duplex
  private readonly plan: TunnelPlan

  constructor(request: IncomingMessage, client: Duplex, head: Buffer, plan: TunnelPlan) {
    this.request = request
    this.client = client
    this.plan = plan
    if (head.length > 0) this.hold(head)
  }

  start(): void {
    const { client, plan, request } = this
    client.on('error', () => client.destroy())
    client.on('close', this.clientClosed)
    if (client.destroyed) this.clientClosed()
    try {
      this.protocol = protocolOf(request, plan.upgrades)
    } catch (error) {
      this.fail(error instanceof GatewayError ? error : new GatewayError('internal', String(error)))
    }
    if (this.over) return
    if (client instanceof Socket) client.setNoDelay(true).setKeepAlive(true, keepAlive)
    client.on('data', this.hold).on('end', this.clientClosed)
    this.dispatch()
  }

  private dispatch(): void {
    const { upstream, path, headers } = this.plan
    const request = {
      method: this.request.method ?? 'GET',
      path,
      headers,
      upgrade: this.protocol,
      headersTimeout: upstream.config.headersTimeout,
      servername: upstream.servername,
      connection: undefined,
    }
    upstream.pool.dispatch(request, this)
  }

  /** Reading ahead, within bounds, is how a client's going away is noticed at all. */
  private readonly hold = (chunk: Buffer): void => {
    this.early.push(chunk)
    this.earlyBytes += chunk.length
    if (this.earlyBytes > maxEarly) this.client.pause()
  }

  private readonly clientClosed = (): void => {
    if (this.client.destroyed) this.closed.resolve()
    if (this.over || this.pipes !== undefined) return
    this.over = true
    this.controller?.abort(new GatewayError('bad_request', 'the client went away'))
    this.client.destroy()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.over) controller.abort(new GatewayError('bad_request', 'the client went away'))
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    upstream: Duplex,
  ): void {
    const switched = String(headers.upgrade)
    if (this.over || status !== 101 || switched.toLowerCase() !== this.protocol.toLowerCase()) {
      upstream.on('error', () => {}).destroy()
      this.fail(new GatewayError('upstream_invalid', `asked for ${this.protocol}, got ${status} ${switched}`))
      return
    }
    const { client, plan, protocol } = this
    this.answered(101)
    client.off('data', this.hold).off('end', this.clientClosed)
    writeHead(client, 101, [...responseHeaders(101, headers, plan), 'Connection', 'Upgrade', 'Upgrade', protocol])
    this.pipes = openTunnelPipes(client, upstream, this.early, protocol.toLowerCase() === 'websocket')
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status > 101 && status < 200) return
    const wrong = problemOf(status, headers)
    if (wrong !== undefined) {
      controller.abort(new GatewayError('upstream_invalid', wrong))
      return
    }
    this.answered(status)
    this.answering = true
    const passed = responseHeaders(status, headers, this.plan)
    writeHead(this.client, status, [...passed, 'Connection', 'close'])
    this.client.on('drain', () => controller.resume())
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.client.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.over = true
    endSoon(this.client)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.fail(upstreamFailure(error))
  }

  close(code: number): void {
    if (this.pipes !== undefined) {
      this.pipes.close(code)
      return
    }
    this.over = true
    this.controller?.abort(new GatewayError('bad_request', 'the tunnel was closed'))
    this.client.destroy()
  }

  private answered(status: number): void {
    this.plan.onResponse?.(status, performance.now() - this.startedAt)
  }

  private fail(error: GatewayError): void {
    if (this.over) return
    this.over = true
    this.client.off('data', this.hold)
    // The answer ends with the connection, so only a reset shows that it is incomplete.
    if (!this.answering) this.plan.onFailure(error)
    else if (this.client instanceof Socket) this.client.resetAndDestroy()
    else this.client.destroy()
  }
}
