/** What a request's own framing says, and what about it must be refused before anything is forwarded. */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../core/errors.ts'

/** RFC 9112 3.2: two Host lines are 400. Node's parser lets them pass and shows the first. */
export function hasDuplicateHost(rawHeaders: readonly string[]): boolean {
  let seen = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (seen) return true
    seen = true
  }
  return false
}

/** True where bytes follow the headers, announced either way. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/**
 * Refuses framing that two readers could take in two ways and Node's parser lets pass: a transfer coding other
 * than exactly `chunked` (RFC 9112 6.1), any at all in HTTP/1.0, and lines that claim another major version. The
 * connection has to close afterwards. `forward` and `tunnel` call it; repeated Host lines are the front door's to
 * refuse, which reads Host first.
 *
 * @throws GatewayError `bad_request`
 */
export function refuseUnsafeFraming(request: IncomingMessage): void {
  if (request.httpVersionMajor !== 1) throw new GatewayError('bad_request', `HTTP/${request.httpVersion}`)
  const coding = request.headers['transfer-encoding']
  if (coding === undefined) return
  if (coding.toLowerCase() !== 'chunked') throw new GatewayError('bad_request', `transfer coding ${coding}`)
  if (request.httpVersionMinor === 0) throw new GatewayError('bad_request', 'Transfer-Encoding in HTTP/1.0')
}
