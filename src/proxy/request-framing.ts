/** What a request's own framing says, and what about it must be refused before anything is forwarded. */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../core/errors.ts'

/** True where bytes follow the headers, announced either way. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/**
 * Why the framing could be taken in two ways although Node's parser lets it pass: a transfer coding other than exactly
 * `chunked` (RFC 9112 6.1), any at all in HTTP/1.0, or a line that claims another major version. Undefined where it
 * cannot. The connection has to close after such a request.
 */
export function framingProblem({ headers, httpVersion, httpVersionMajor, httpVersionMinor }: IncomingMessage) {
  if (httpVersionMajor !== 1) return `HTTP/${httpVersion}`
  const coding = headers['transfer-encoding']
  if (coding === undefined) return undefined
  if (coding.toLowerCase() !== 'chunked') return `transfer coding ${coding}`
  return httpVersionMinor === 0 ? 'Transfer-Encoding in HTTP/1.0' : undefined
}

/**
 * Repeated Host lines are the front door's to refuse, which reads Host first.
 *
 * @throws GatewayError `bad_request`
 */
export function refuseUnsafeFraming(request: IncomingMessage): void {
  const problem = framingProblem(request)
  if (problem !== undefined) throw new GatewayError('bad_request', problem)
}
