import type { Decision } from '../gate/decision.ts'
import type { Exchange, Front } from './exchange.ts'
import type { Asking } from './refuse.ts'
import type { RequestHead } from './request-reading.ts'

type Told = Exchange<RequestHead>

/** What the front doors tell of each request: numbers, log lines, audit events. They decide nothing by it. */
export interface Observer {
  open<R extends RequestHead>(request: R, front: Front, gateway?: Asking['gateway']): Exchange<R>
  decided(exchange: Told, decision: Decision): void
  /** A planned failure is a line, from status 500 on a warning with its causes; anything else is an error. */
  failed(exchange: Told, error: unknown): void
  /** The upstream's headers have come, or its failure. @param milliseconds from asking to then */
  upstreamAnswered(exchange: Told, status: number, milliseconds: number): void
  /** A tunnel stands. @returns to be called once when it has ended */
  upgradeOpened(exchange: Told): () => void
  /** The answer's headers are out. */
  finished(exchange: Told, status: number): void
}
