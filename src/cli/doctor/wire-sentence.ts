/** Why no answer came, in the words of somebody who has to repair it. */
import { type WireFault, wireCodeOf, wireFaultOf } from '../../core/wire-fault.ts'

const words: Readonly<Record<WireFault, string>> = {
  dns: 'the name cannot be resolved',
  refused: 'nobody accepts connections there',
  unreachable: 'there is no way from here to that address',
  timeout: 'no answer came in time',
  'self-signed': 'its certificate is signed by nobody this machine trusts',
  'unknown-authority': 'its certificate is signed by nobody this machine trusts',
  'wrong-name': 'its certificate is for another name',
  expired: 'its certificate is not valid any more',
  'not-yet-valid': 'its certificate is not valid yet',
  'not-tls': 'it speaks no TLS',
  tls: 'the TLS handshake fails',
  reset: 'the connection was cut before an answer came',
  other: 'no usable answer came',
}

/** `nobody accepts connections there (ECONNREFUSED)` */
export const wireSentenceOf = (error: unknown): string => `${words[wireFaultOf(error)]} (${wireCodeOf(error)})`
