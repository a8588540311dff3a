import { errors } from 'undici'
import { type ErrorCode, GatewayError } from '../core/errors.ts'

const timeouts = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
])
const invalid = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  // Node's own, where a header of the answer cannot be written to the client.
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
])
/** What a connection dies of that sat idle a moment too long. */
const staleConnection = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** What went wrong between us and the upstream, as the error people and logs get. */
export function upstreamFailure(cause: Error): GatewayError {
  if (cause instanceof GatewayError) return cause
  const code = codeOf(cause)
  return new GatewayError(errorCodeOf(code, cause), `${code}: ${cause.message}`, { cause })
}

function errorCodeOf(code: string, cause: Error): ErrorCode {
  if (timeouts.has(code)) return 'upstream_timeout'
  // A 101 or 100 nobody asked for is a `bad …` socket error.
  if (
    invalid.has(code) ||
    cause instanceof errors.HTTPParserError ||
    /^bad (?:response|upgrade)$/.test(cause.message)
  ) {
    return 'upstream_invalid'
  }
  // The request line or a header cannot be written as HTTP/1.1: nothing the upstream did.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return 'bad_request'
  return 'upstream_unreachable'
}

/** True for errors that say no more than "this kept-alive connection was already closing". */
export const isStaleConnection = (cause: Error): boolean =>
  staleConnection.has(codeOf(cause)) && !/^bad /.test(cause.message)

/** llhttp's errors do not always have a code. */
const codeOf = (cause: Error): string => ('code' in cause && typeof cause.code === 'string' ? cause.code : cause.name)
