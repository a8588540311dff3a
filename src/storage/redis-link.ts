/** Owns one standing connection to Redis: when it counts as lost, what fails at once, when it is tried again. */
import { ErrorReply } from 'redis'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { within } from './deadline.ts'
import type { StoreState } from './key-value.ts'
import type { LinkFigures } from './link-figures.ts'
import type { RedisConnection } from './redis-dial.ts'

/**
 * The breaker: while the link is down every command fails at once with `store_unreachable`, and the background dials
 * and probes until an answer comes. A reply that comes too late is dropped with its own command; once replies stop
 * coming the whole connection goes, so that no reply is ever taken for another's.
 */
export interface RedisLink {
  /** @throws GatewayError `store_unreachable` */
  run(key: string | undefined, args: readonly string[]): Promise<unknown>
  state(): StoreState
  figures(): LinkFigures
  /** Gives the connection up and makes a new one. */
  renew(reason: string): void
  /** Resolves once the first attempt has ended, well or not. */
  readonly tried: Promise<void>
  close(): void
}

export interface RedisLinkOptions<C extends RedisConnection> {
  /** For the log: `commands`, `messages`. */
  readonly name: string
  dial(turn: number): Promise<C>
  /** Before the connection counts: proves that it serves. */
  probe(connection: C): Promise<unknown>
  onUp?(connection: C): void
  onDown?(reason: string): void
  readonly timeout: number
  /** Timeouts in a row after which replies are no longer waited for. */
  readonly timeoutsToGiveUp: number
  readonly log: Log
}

/** Milliseconds without any reply after which a cluster is given up as a whole. */
const silenceToGiveUp = 2000
/** Commands under way; more would only wait longer than they may. */
const maxPending = 10_000
const heartbeatEvery = 1000
/** Milliseconds between attempts: doubled each time, up to the last. */
const backoff = { first: 50, last: 1000 }
/** Replies of a server that cannot serve now: another one may, or the same after a while. */
const unserving = /^(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOAUTH|WRONGPASS)\b/

export function openRedisLink<C extends RedisConnection>(options: RedisLinkOptions<C>): RedisLink {
  const { name, timeout, timeoutsToGiveUp, log } = options
  let connection: C | undefined
  let dialing = false
  let closed = false
  let problem = 'not connected yet'
  let pending = 0
  let timeouts = 0
  let heardAt = performance.now()
  const counts = { connects: 0, commands: 0, failures: 0, seconds: 0 }
  let wake = (): void => {}
  let markTried = (): void => {}
  const tried = new Promise<void>((resolve) => {
    markTried = resolve
  })

  const drop = (reason: string): void => {
    const lost = connection
    if (lost === undefined) return
    connection = undefined
    problem = reason
    lost.close()
    log.warn({ link: name, reason }, 'redis is out of reach; trying again in the background')
    options.onDown?.(reason)
    void dialUntilUp()
  }

  const adopt = (next: C): void => {
    const before = connection
    connection = next
    counts.connects++
    timeouts = 0
    heardAt = performance.now()
    next.onLost((error) => {
      if (connection === next) drop(reasonOf(error))
    })
    before?.close()
    log.info({ link: name }, 'redis is connected')
    options.onUp?.(next)
  }

  async function dialOnce(turn: number): Promise<void> {
    const next = await options.dial(turn)
    try {
      await within(options.probe(next), timeout)
      if (closed) throw new Error('closed')
    } catch (error) {
      next.close()
      throw error
    }
    adopt(next)
  }

  /** Also runs beside a connection that survives failures: then the new one takes its place. */
  async function dialUntilUp(): Promise<void> {
    if (dialing) return
    dialing = true
    for (let turn = 0; !closed; turn++) {
      try {
        await dialOnce(turn)
        break
      } catch (error) {
        const reason = reasonOf(error)
        if (reason !== problem && !closed) log.warn({ link: name, reason }, 'redis cannot be reached')
        problem = reason
      }
      markTried()
      await new Promise<void>((resolve) => {
        wake = resolve
        const wait = Math.min(backoff.first * 2 ** turn, backoff.last)
        setTimeout(resolve, wait * (0.75 + Math.random() / 2)).unref()
      })
    }
    markTried()
    dialing = false
  }

  const afterFailure = (from: C, error: unknown): void => {
    if (connection !== from) return
    if (error instanceof ErrorReply) {
      timeouts = 0
      if (unserving.test(error.message)) drop(reasonOf(error))
      return
    }
    timeouts++
    const silence = performance.now() - heardAt
    if (timeouts >= timeoutsToGiveUp && !(from.survivesFailures && silence < silenceToGiveUp)) drop(reasonOf(error))
    else if (from.survivesFailures) void dialUntilUp()
  }

  async function send(key: string | undefined, args: readonly string[]): Promise<unknown> {
    const from = connection
    if (closed || from === undefined) throw unreachable(closed ? 'closed' : problem)
    if (pending >= maxPending) throw unreachable(`${maxPending} commands are waiting already`)
    pending++
    const sentAt = performance.now()
    try {
      const reply = await within(from.send(key, args), timeout)
      timeouts = 0
      heardAt = performance.now()
      return reply
    } catch (error) {
      afterFailure(from, error)
      throw error instanceof ErrorReply && isForeignValue(error) ? error : unreachable(reasonOf(error), error)
    } finally {
      pending--
      counts.seconds += (performance.now() - sentAt) / 1000
    }
  }

  async function run(key: string | undefined, args: readonly string[]): Promise<unknown> {
    counts.commands++
    try {
      return await send(key, args)
    } catch (error) {
      counts.failures++
      throw error
    }
  }

  const heartbeat = setInterval(() => {
    if (connection !== undefined) run(undefined, ['PING']).catch(() => {})
  }, heartbeatEvery).unref()
  void dialUntilUp()

  return {
    run,
    state: () => (connection === undefined || closed ? { ready: false, detail: problem } : { ready: true }),
    figures: () => ({ ...counts, connected: connection !== undefined && !closed }),
    renew: drop,
    tried,
    close() {
      closed = true
      clearInterval(heartbeat)
      wake()
      connection?.close()
      connection = undefined
      problem = 'closed'
    },
  }
}

/** A key of ours holds a value that is none of ours: not a fault of the store. */
export const isForeignValue = (error: unknown): boolean =>
  error instanceof ErrorReply && error.message.startsWith('WRONGTYPE')

const unreachable = (detail: string, cause?: unknown): GatewayError =>
  new GatewayError('store_unreachable', `redis: ${detail}`, { cause })

/** The first line: code and text of the system or of the server; neither holds a secret. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0] || 'unknown error'
}
