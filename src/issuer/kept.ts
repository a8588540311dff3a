import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'

export interface KeptOptions<T> {
  /** Names it in log lines: `discovery of https://…`. */
  readonly what: string
  readonly log: Log
  readonly load: () => Promise<T>
  readonly clock: Clock
  /** Milliseconds until a value is loaded again, in the background. */
  readonly freshFor: number
  /** Milliseconds a value may be used while loading fails. */
  readonly keptFor: number
  readonly random?: () => number
}

export interface KeptState {
  readonly ready: boolean
  /** Why the last attempt failed. For the log and /readyz; no secrets. */
  readonly detail?: string
  /** Milliseconds since the epoch: since when it is ready, or not. */
  readonly since: number
}

/** Something that is loaded from a provider and kept: discovery, keys. */
export interface Kept<T> {
  /**
   * The value; loaded first where there is none. One load runs at a time, however many ask. After a failure the
   * next attempt waits (half a second, doubling to 30 s, jittered) and askers get the failure at once meanwhile.
   */
  get(): Promise<T>
  /** The last good value while it may be used. */
  peek(): T | undefined
  /** Loads now, or joins the load that runs. */
  renew(): Promise<T>
  /** When an attempt may be made again, milliseconds since the epoch. */
  retryAt(): number
  state(): KeptState
}

const firstPause = 500
const longestPause = 30_000

export function createKept<T>(options: KeptOptions<T>): Kept<T> {
  const { what, log, load, clock, freshFor, keptFor, random = Math.random } = options
  let good: { value: T; at: number } | undefined
  let failure: { error: unknown; count: number; retryAt: number } | undefined
  let flight: Promise<T> | undefined
  let since = clock.now()

  const usable = (): boolean => good !== undefined && clock.now() - good.at < keptFor
  const setReady = (before: boolean): void => {
    if (usable() !== before) since = clock.now()
  }
  const attempt = async (): Promise<T> => {
    const before = usable()
    try {
      const value = await load()
      good = { value, at: clock.now() }
      failure = undefined
      return value
    } catch (error) {
      const count = (failure?.count ?? 0) + 1
      const pause = Math.min(longestPause, firstPause * 2 ** (count - 1)) * (0.75 + random() / 2)
      failure = { error, count, retryAt: clock.now() + pause }
      // A first failure is told by whoever asked; that an old value goes on would otherwise be told by nobody.
      if (good !== undefined) log.warn({ what, detail: describe(error) }, 'not renewed, the last good one goes on')
      throw error
    } finally {
      flight = undefined
      setReady(before)
    }
  }
  const renew = (): Promise<T> => {
    flight ??= attempt()
    return flight
  }
  const pausing = (): boolean => failure !== undefined && clock.now() < failure.retryAt

  return {
    renew,
    retryAt: () => failure?.retryAt ?? clock.now(),
    peek: () => (usable() ? good?.value : undefined),
    get: async () => {
      if (good === undefined || !usable()) {
        if (failure !== undefined && pausing() && flight === undefined) throw failure.error
        return renew()
      }
      // A failure is remembered in state(); the last good value goes on.
      if (clock.now() - good.at >= freshFor && !pausing()) renew().catch(() => undefined)
      return good.value
    },
    state: () => {
      const detail = failure === undefined ? undefined : describe(failure.error)
      return { ready: usable(), ...(detail !== undefined && { detail }), since }
    },
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : 'unknown fault')
