/** Owns one HTTP exchange with an upstream: bytes both ways, and what happens when either side fails. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../core/errors.ts'
import { cutOff, flushHead } from './begun-answer.ts'
import type { ForwardPlan, LongAnswer } from './forward-plan.ts'
import type { Watched } from './idle-watch.ts'
import { abandonBody, discardBody, openRequestBody } from './request-body.ts'
import { hasBody, refuseUnsafeFraming } from './request-framing.ts'
import { problemOf, responseHeaders } from './response-headers.ts'
import { announcedTrailers, responseTrailers, takesTrailers } from './response-trailers.ts'
import { isStaleConnection, upstreamFailure } from './upstream-failure.ts'
import type { UpstreamRequest } from './upstreams.ts'

/** Bytes up to which an answer of known length is not worth watching: it is out before anybody could sign out. */
const short = 1024 * 1024
/** 1xx answers before the final one; an upstream that sends more is not worth waiting for. */
const maxInterim = 20
/**
 * Forwards one allowed request and streams the answer back. Returns at once; the outcome is on `response`, or
 * in `plan.onFailure`.
 *
 * 100 Continue is sent here and not by Node, where the server has a `checkContinue` listener: only once the
 * request is allowed and its declared length fits.
 */
export function forward(request: IncomingMessage, response: ServerResponse, plan: ForwardPlan): void {
  new Exchange(request, response, plan).start()
}

/**
 * undici's handler, one object per request and no stream or closure on the way of an answer's bytes.
 *
 * States, in order: waiting (nothing sent), `answering` (the head is out), `over` (nothing more may happen).
 */
class Exchange implements Dispatcher.DispatchHandler, Watched, LongAnswer {
  quiet = 0
  private readonly startedAt: number
  private controller: Dispatcher.DispatchController | undefined
  private body: Readable | null = null
  private answering = false
  private over = false
  private retried = false
  private drainHeard = false
  /** The parser saw the first byte of an answer. */
  private begun = false
  private interim = 0
  /** Bytes of the body still to come; NaN where the upstream did not say. */
  private left = Number.NaN
  /** The client reads trailers, and the answer to it can have them. */
  private takesTrailers: boolean
  private options: UpstreamRequest | undefined
  private release: (() => void) | undefined
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  private readonly plan: ForwardPlan

  constructor(request: IncomingMessage, response: ServerResponse, plan: ForwardPlan) {
    this.request = request
    this.response = response
    this.plan = plan
    this.takesTrailers = takesTrailers(request)
    this.startedAt = plan.onResponse === undefined ? 0 : performance.now()
  }

  start(): void {
    if (this.response.destroyed) return
    try {
      refuseUnsafeFraming(this.request)
      if (hasBody(this.request)) this.openBody()
    } catch (error) {
      this.refuse(error instanceof GatewayError ? error : new GatewayError('internal', String(error)))
      return
    }
    this.response.on('close', () => this.clientClosed())
    this.dispatch()
  }

  private openBody(): void {
    const { request, plan } = this
    const { maxBody } = plan.upstream.config
    const declared = request.headers['content-length']
    if (Number(declared) > maxBody) throw new GatewayError('body_too_large', `${declared} bytes declared`)
    this.body = openRequestBody(request, maxBody)
    plan.upstream.idle.add(this)
    // Node has said so already unless somebody listens to `checkContinue`; twice does no harm (RFC 9110 15.2).
    if (request.headers.expect !== undefined && request.httpVersionMinor > 0) this.response.writeContinue()
  }

  private refuse(error: GatewayError): void {
    this.over = true
    // After framing that cannot be trusted, nothing on this connection can.
    if (error.code !== 'body_too_large') this.response.shouldKeepAlive = false
    abandonBody(this.request)
    this.plan.onFailure(error)
  }

  private dispatch(): void {
    const { upstream, method, path, headers } = this.plan
    this.options = {
      method,
      path,
      // Of the hop to the upstream this gateway is the client, and speaks for itself.
      headers: this.takesTrailers ? [...headers, 'TE', 'trailers'] : headers,
      body: this.body,
      headersTimeout: upstream.config.headersTimeout,
      servername: upstream.servername,
      connection: undefined,
    }
    upstream.pool.dispatch(this.options, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.over) controller.abort(new GatewayError('bad_request', 'the client went away'))
  }

  onBodySent(): void {
    this.quiet = 0
  }

  /** From here on it is the upstream's turn, which `headersTimeout` watches. */
  onRequestSent(): void {
    if (this.body !== null && !this.answering) this.plan.upstream.idle.delete(this)
  }

  onResponseStarted(): void {
    this.begun = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const { request, response, plan } = this
    if (status < 200 && this.isInterim(status)) return
    const wrong = problemOf(status, headers)
    if (wrong !== undefined) {
      controller.abort(new GatewayError('upstream_invalid', wrong))
      return
    }
    // The length of an answer to HEAD is not that of its body.
    const hasContent = request.method !== 'HEAD' && status !== 204 && status !== 304
    if (hasContent) this.left = Number(headers['content-length'])
    // Only an answer in chunks has room for trailers.
    if (!(hasContent && Number.isNaN(this.left))) this.takesTrailers = false
    const kept = responseHeaders(status, headers, plan)
    const announced = this.takesTrailers ? announcedTrailers(headers) : undefined
    if (announced !== undefined) kept.push('trailer', announced)
    response.writeHead(status, kept)
    this.answering = true
    this.quiet = 0
    plan.onResponse?.(status, performance.now() - this.startedAt)
    if (isEventStream(headers)) plan.upstream.idle.delete(this)
    else plan.upstream.idle.add(this)
    if (hasContent && !(this.left <= short)) this.release = plan.onLongAnswer?.(this, Number.isNaN(this.left))
    // A head whose body comes later must not wait for it; most come together, and then this finds nothing to do.
    process.nextTick(flushHead, response)
  }

  /** 1xx are dropped: a hint that an intermediary may drop (RFC 9110 15.2), and never the answer. */
  private isInterim(status: number): boolean {
    return status >= 102 && ++this.interim <= maxInterim
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.quiet = 0
    this.left -= chunk.length
    if (this.left === 0) {
      // Head, body and end in one write.
      this.response.end(chunk)
    } else if (!this.response.write(chunk)) {
      controller.pause()
      this.hearDrain()
    }
  }

  private hearDrain(): void {
    if (this.drainHeard) return
    this.drainHeard = true
    this.response.on('drain', () => {
      this.quiet = 0
      this.controller?.resume()
    })
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.finish()
    if (this.takesTrailers) this.response.addTrailers(responseTrailers(trailers))
    if (this.options?.connection !== undefined) this.options.connection.served++
    if (!this.response.writableEnded) this.response.end()
    // The upstream answered without reading everything: the rest must not be taken for the next request.
    if (this.body !== null) {
      this.body.destroy()
      discardBody(this.request)
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.over) return
    if (this.mayRetry(error)) {
      this.retried = true
      setImmediate(() => this.over || this.dispatch())
      return
    }
    this.fail(upstreamFailure(error))
  }

  /** RFC 9112 9.3.1: once, for a safe method without a body, when a reused connection died before any answer. */
  private mayRetry(error: Error): boolean {
    const { method } = this.plan
    if (this.retried || this.begun || this.body !== null) return false
    if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') return false
    return (this.options?.connection?.served ?? 0) > 0 && isStaleConnection(error)
  }

  onIdle(): void {
    const { upstream } = this.plan
    // While a body is on its way up, whoever has nothing waiting is the one everybody waits for.
    const awaitsClient = this.controller !== undefined && !this.answering && this.body?.readableLength === 0
    const late = new GatewayError(
      awaitsClient ? 'body_timeout' : 'upstream_timeout',
      `nothing moved for ${upstream.config.bodyTimeout} ms`,
    )
    this.controller?.abort(late)
    this.fail(late)
  }

  close(): void {
    const ended = new GatewayError('bad_request', 'what let this answer in has ended')
    this.controller?.abort(ended)
    this.fail(ended)
  }

  private fail(error: GatewayError): void {
    if (this.over) return
    this.finish()
    this.body?.destroy()
    if (this.answering) {
      cutOff(this.request, this.response)
    } else {
      if (this.body !== null) discardBody(this.request)
      this.plan.onFailure(error)
    }
  }

  private clientClosed(): void {
    if (this.over) return
    this.finish()
    if (!this.answering) this.plan.onAbort?.()
    this.controller?.abort(new GatewayError('bad_request', 'the client went away'))
    this.body?.destroy()
  }

  private finish(): void {
    this.over = true
    this.plan.upstream.idle.delete(this)
    this.release?.()
  }
}

const isEventStream = (headers: IncomingHttpHeaders): boolean => {
  const type = headers['content-type']
  return typeof type === 'string' && /^text\/event-stream/i.test(type)
}
