/**
 * Every failure we planned for: code, HTTP status, and the sentence people read. Private detail goes to the
 * log as the error's message, never to the page.
 */
const table = {
  bad_request: { status: 400, say: 'This request cannot be understood.' },
  ambiguous_path: { status: 400, say: 'This address can be read in more than one way, so it was refused.' },
  host_unknown: { status: 421, say: 'No site with this name is served here.' },
  method_not_allowed: { status: 405, say: 'This address does not accept this method.' },
  not_found: { status: 404, say: 'There is nothing at this address.' },
  no_upstream: { status: 421, say: 'This address is answered by the ingress in front of it, not here.' },
  body_too_large: { status: 413, say: 'What was sent is larger than this address accepts.' },
  body_timeout: { status: 408, say: 'What was being sent stopped arriving.' },
  impersonation_refused: { status: 403, say: 'This request asks to be somebody else, so it was refused.' },
  csrf_refused: { status: 403, say: 'This request came from another site, so it was refused.' },
  peer_untrusted: { status: 403, say: 'Only the ingress may ask here.' },
  forwarded_headers_missing: { status: 400, say: 'The proxy in front of this gateway did not say what was asked for.' },
  return_to_refused: { status: 400, say: 'The address to return to is not one of ours.' },
  gateway_token_refused: { status: 401, say: 'The proof of sign-in that the gateway in front sent is not valid here.' },
  login_unknown: { status: 400, say: 'This sign-in did not start in this browser, or its cookie was not sent back.' },
  login_expired: { status: 400, say: 'This sign-in took too long. Please start again.' },
  login_denied: { status: 403, say: 'The sign-in service did not let you in.' },
  login_not_allowed: { status: 403, say: 'This account may not sign in here.' },
  login_failed: { status: 502, say: 'The sign-in service gave an answer that cannot be trusted.' },
  login_loop: { status: 508, say: 'Signing in goes round in circles, so it was stopped.' },
  session_too_large: { status: 500, say: 'Your account carries more data than a cookie can hold.' },
  provider_unreachable: { status: 503, say: 'The sign-in service cannot be reached right now.' },
  store_unreachable: { status: 503, say: 'The session store cannot be reached right now.' },
  overloaded: { status: 503, say: 'The gateway is busy. Please try again in a moment.' },
  token_file_unreadable: { status: 503, say: 'The gateway cannot prove itself to the application right now.' },
  upstream_unreachable: { status: 502, say: 'The application behind this gateway did not answer.' },
  upstream_invalid: { status: 502, say: 'The application behind this gateway gave an answer that is not HTTP.' },
  upstream_timeout: { status: 504, say: 'The application behind this gateway took too long.' },
  upgrade_refused: { status: 426, say: 'This address does not switch to the protocol that was asked for.' },
  internal: { status: 500, say: 'Something went wrong in the gateway.' },
} as const satisfies Record<string, { status: number; say: string }>

export type ErrorCode = keyof typeof table

export const statusOf = (code: ErrorCode): number => table[code].status
export const sentenceOf = (code: ErrorCode): string => table[code].say

/** An error we planned for. Anything else that reaches a front door is a bug and shows as 500 `internal`. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  /** Seconds a client should wait, sent as Retry-After. */
  readonly retryAfter?: number

  /** @param detail for the log alone; people see the code's sentence. */
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions & { retryAfter?: number }) {
    super(detail ?? table[code].say, options)
    this.name = 'GatewayError'
    this.code = code
    const retryAfter = options?.retryAfter ?? (table[code].status === 503 ? 5 : undefined)
    if (retryAfter !== undefined) this.retryAfter = retryAfter
  }

  get status(): number {
    return table[this.code].status
  }

  get say(): string {
    return table[this.code].say
  }
}
