import type { IncomingMessage } from 'node:http'
import type { Decision } from '../gate/decision.ts'
import type { Exchange, Front } from './exchange.ts'
import type { ForwardAuthAdapter } from './forward-auth/adapter.ts'

/** What the front doors tell of each request: numbers, log lines, audit events. They decide nothing by it. */
export interface Observer {
  open(request: IncomingMessage, front: Front, gateway?: ForwardAuthAdapter): Exchange
  decided(exchange: Exchange, decision: Decision): void
  /** A planned failure is a line; anything else is an error with its stack. */
  failed(exchange: Exchange, error: unknown): void
  /** The upstream's headers have come, or its failure. @param milliseconds from asking to then */
  upstreamAnswered(exchange: Exchange, status: number, milliseconds: number): void
  /** A tunnel stands. @returns to be called once when it has ended */
  upgradeOpened(exchange: Exchange): () => void
  /** The answer's headers are out. */
  finished(exchange: Exchange, status: number): void
}
