import type { IncomingMessage } from 'node:http'
import type { Target } from '../core/target.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Asker } from './asker.ts'
import { acceptsHtml } from './asker.ts'
import type { Asking } from './refuse.ts'
import { peerOf, type RequestCredentials, type RequestHead } from './request-reading.ts'

/** Which door a request came through; labels log lines and metrics. */
export type Front = 'proxy' | 'forward-auth' | 'ext-authz' | 'own'

/**
 * One request from its arrival to its log line. Filled in as it is read, so that a failure knows what is known; what
 * only refusals and log lines need is worked out when one is written.
 */
export class Exchange<R extends RequestHead = IncomingMessage> {
  readonly request: R
  readonly front: Front
  /** Milliseconds, monotonic; 0 where nobody logs how long it took. */
  readonly startedAt: number
  readonly gateway: Asking['gateway']
  target: Target | undefined = undefined
  credentials: RequestCredentials | undefined = undefined
  verdict: Verdict | undefined = undefined
  route: string | undefined = undefined
  private readonly prefix: string
  private readonly number: number

  constructor(origin: ExchangeOrigin, request: R, front: Front, gateway: Asking['gateway']) {
    this.request = request
    this.front = front
    this.gateway = gateway
    this.startedAt = origin.startedAt
    this.prefix = origin.prefix
    this.number = origin.number
  }

  get requestId(): string {
    return `${this.prefix}-${this.number.toString(36)}`
  }

  /** A program, until the request has been read. */
  get asker(): Asker {
    return this.credentials === undefined ? 'client' : this.credentials.asker
  }

  /** The client, once it is known; the peer until then. */
  get address(): string {
    return this.credentials === undefined ? peerOf(this.request) : this.credentials.address
  }
}

interface ExchangeOrigin {
  readonly prefix: string
  readonly number: number
  readonly startedAt: number
}

export type OpenExchange = <R extends RequestHead>(request: R, front: Front, gateway?: Asking['gateway']) => Exchange<R>

/** @param prefix makes ids of this process unlike those of others */
export function createExchanges(prefix: string, monotonic: () => number): OpenExchange {
  let count = 0
  return (request, front, gateway) =>
    new Exchange({ prefix, number: count++, startedAt: monotonic() }, request, front, gateway)
}

export function askingOf({ request, requestId, gateway, target, asker }: Exchange<RequestHead>): Asking {
  return {
    asker,
    acceptsHtml: acceptsHtml(request.headers),
    method: target?.method ?? request.method ?? '',
    target,
    origin: request.headers.origin,
    requestId,
    gateway,
  }
}
