/** Why no answer came, in the words of somebody who has to repair it. */

export type WireFault =
  | 'dns'
  | 'refused'
  | 'timeout'
  | 'self-signed'
  | 'wrong-name'
  | 'expired'
  | 'not-tls'
  | 'tls'
  | 'reset'
  | 'other'

const faults: readonly (readonly [RegExp, WireFault])[] = [
  [/^(?:ENOTFOUND|EAI_)/, 'dns'],
  [/^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOENT|EACCES)/, 'refused'],
  [/TIMEOUT|^ETIMEDOUT|^UND_ERR_ABORTED|^ABORT/, 'timeout'],
  [/^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/, 'self-signed'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, 'wrong-name'],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/, 'expired'],
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

const words: Readonly<Record<WireFault, string>> = {
  dns: 'the name cannot be resolved',
  refused: 'nobody accepts connections there',
  timeout: 'no answer came in time',
  'self-signed': 'its certificate is signed by nobody this machine trusts',
  'wrong-name': 'its certificate is for another name',
  expired: 'its certificate is not valid at this time',
  'not-tls': 'it speaks no TLS',
  tls: 'the TLS handshake fails',
  reset: 'the connection was cut before an answer came',
  other: 'no usable answer came',
}

/** `nobody accepts connections there (ECONNREFUSED)` */
export function wireSentenceOf(error: unknown): string {
  return `${words[wireFaultOf(error)]} (${wireCodeOf(error)})`
}
