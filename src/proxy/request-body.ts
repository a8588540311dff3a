/** Owns the way of a request's body: counted, with back-pressure, and safely given up when nobody wants it. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { GatewayError } from '../core/errors.ts'
import { hasBody } from './request-framing.ts'

/**
 * The body as a stream of its own. undici destroys the streams it is given, and an IncomingMessage takes its
 * connection with it, on which the answer is still to go.
 *
 * @param maxBody bytes; the stream fails with `body_too_large` at the first byte above
 */
export function openRequestBody(request: IncomingMessage, maxBody: number): Readable {
  let received = 0
  const body = new Readable({
    read: () => request.resume(),
    destroy(error, done) {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      done(error)
    },
  })

  function onData(chunk: Buffer): void {
    received += chunk.length
    if (received > maxBody) body.destroy(new GatewayError('body_too_large', `more than ${maxBody} bytes`))
    else if (!body.push(chunk)) request.pause()
  }
  const onEnd = (): void => void body.push(null)
  function onClose(): void {
    if (!request.complete) body.destroy(new GatewayError('bad_request', 'the client went away'))
  }

  // While the request waits for a connection nobody listens yet; whoever listens later finds it destroyed.
  body.on('error', () => {})
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  request.pause()
  return body
}

/** What is read and thrown away for the sake of a connection, before it is closed instead. */
const patience = { bytes: 1024 * 1024, milliseconds: 2_000 }

/**
 * Reads what is left of a body nobody wants, so that the client gets to see the answer (a connection closed with
 * unread bytes is reset) and the next request on the connection starts where it should. Bounded: then it closes.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.socket.destroyed) return
  let left = patience.bytes
  const giveUp = (): void => void request.socket.destroy()
  const timer = setTimeout(giveUp, patience.milliseconds).unref()
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) giveUp()
  })
  request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer))
  request.on('error', giveUp)
  request.resume()
}

/**
 * Call before answering a request whose body was not read (refused, redirected, answered here). A client that still
 * waits for 100 Continue may send the body or its next request: Node closes that connection (RFC 9110 10.1.1).
 */
export function abandonBody(request: IncomingMessage): void {
  if (hasBody(request) && request.headers.expect === undefined) discardBody(request)
}
