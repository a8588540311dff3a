/** What one forwarded request is to become, and whom to tell of it. */
import type { GatewayError } from '../core/errors.ts'
import type { ResponseHeaderRules } from './response-headers.ts'
import type { Upstream } from './upstreams.ts'

export interface ForwardPlan extends ResponseHeaderRules {
  readonly upstream: Upstream
  readonly method: string
  /** Path and query for the upstream, from `upstreamPath`. */
  readonly path: string
  /** From `requestHeaders`. */
  readonly headers: string[]
  /**
   * The upstream's headers arrived.
   * @param latency milliseconds since `forward` was called
   */
  onResponse?(status: number, latency: number): void
  /**
   * The answer does not come at once: whoever let it in may end it before its time. Not called for answers of a known,
   * small length.
   * @param endless the upstream did not say how long it will be
   * @returns called when the answer is over, however it ended
   */
  onLongAnswer?(answer: LongAnswer, endless: boolean): () => void
  /** The client went away before an answer came: there is nobody left to tell. */
  onAbort?(): void
  /**
   * Nothing has been sent to the client: render the error. Once a byte is out, a failure ends the client's
   * connection instead, so that an incomplete answer looks incomplete (RFC 9112 8), and this is not called.
   */
  onFailure(error: GatewayError): void
}

export interface LongAnswer {
  /** Cuts it off, so that it looks as incomplete as it is, and lets go of the upstream. */
  close(): void
}
