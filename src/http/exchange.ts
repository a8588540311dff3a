import type { IncomingMessage } from 'node:http'
import type { Target } from '../core/target.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Asker } from './asker.ts'
import { acceptsHtml } from './asker.ts'
import type { ForwardAuthAdapter } from './forward-auth/adapter.ts'
import type { Asking } from './refuse.ts'
import { peerOf } from './request-reading.ts'

/** Which door a request came through; labels log lines and metrics. */
export type Front = 'proxy' | 'forward-auth' | 'own'

/** One request from its arrival to its log line. Filled in as it is read, so that a failure knows what is known. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly front: Front
  readonly requestId: string
  /** Milliseconds, monotonic. */
  readonly startedAt: number
  readonly gateway: ForwardAuthAdapter | undefined
  target: Target | undefined
  asker: Asker
  /** The client, once it is known; the peer until then. */
  address: string
  verdict: Verdict | undefined
  route: string | undefined
}

export type OpenExchange = (request: IncomingMessage, front: Front, gateway?: ForwardAuthAdapter) => Exchange

/** @param prefix makes ids of this process unlike those of others */
export function createExchanges(prefix: string, monotonic: () => number): OpenExchange {
  let count = 0
  return (request, front, gateway) => ({
    request,
    front,
    requestId: `${prefix}-${(count++).toString(36)}`,
    startedAt: monotonic(),
    gateway,
    target: undefined,
    asker: 'client',
    address: peerOf(request),
    verdict: undefined,
    route: undefined,
  })
}

export function askingOf({ request, requestId, gateway, target, asker }: Exchange): Asking {
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
