/** The one table from what the system, TLS or HTTP say where no answer came to what is wrong. */

export type WireFault =
  | 'dns'
  | 'refused'
  /** There is no way to that address from here. */
  | 'unreachable'
  | 'timeout'
  | 'self-signed'
  | 'unknown-authority'
  | 'wrong-name'
  | 'expired'
  | 'not-yet-valid'
  | 'not-tls'
  | 'tls'
  | 'reset'
  | 'other'

const faults: readonly (readonly [RegExp, WireFault])[] = [
  [/^(?:ENOTFOUND|EAI_)/, 'dns'],
  [/^(?:ECONNREFUSED|ENOENT|EACCES)/, 'refused'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)/, 'unreachable'],
  [/TIMEOUT|^ETIMEDOUT|^UND_ERR_ABORTED|^ABORT/, 'timeout'],
  [/^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)/, 'self-signed'],
  [/^UNABLE_TO_/, 'unknown-authority'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, 'wrong-name'],
  [/^CERT_HAS_EXPIRED/, 'expired'],
  [/^CERT_NOT_YET_VALID/, 'not-yet-valid'],
  [/^(?:ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|ERR_SSL_HTTP_REQUEST|EPROTO)/, 'not-tls'],
  [/CERT|^ERR_(?:SSL|TLS)/, 'tls'],
  [/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|HPE_|ConnectionTimeout|SocketClosed)/, 'reset'],
]

export function wireFaultOf(error: unknown): WireFault {
  const code = wireCodeOf(error)
  return faults.find(([pattern]) => pattern.test(code))?.[1] ?? 'other'
}

/** The code of the system or of the TLS library; else the first line of the message. Neither holds a secret. */
export function wireCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'TIMEOUT'
  if ('code' in error && typeof error.code === 'string' && error.code !== 'UND_ERR_SOCKET') return error.code
  if (error instanceof AggregateError && error.errors.length > 0) return wireCodeOf(error.errors[0])
  if (error.cause instanceof Error) return wireCodeOf(error.cause)
  return 'code' in error && typeof error.code === 'string' ? error.code : (error.message.split('\n', 1)[0] ?? '')
}
