import type { Config } from '../config/config.ts'
import type { Log } from '../core/log.ts'

/** Milliseconds that are waited in any case. */
const leastPatience = 30_000
/** A refresh waits for its turn, for the provider's keys, and for its tokens; then what came is saved, in seconds. */
const waitsForProvider = 3
const saving = 10_000

/** Milliseconds after which nothing can be under way that began with a configuration: a refresh token may be spent in it. */
export function longestDecision({ providers }: Pick<Config, 'providers'>): number {
  const timeouts = providers.map(({ timeout }) => timeout)
  return Math.max(leastPatience, waitsForProvider * Math.max(0, ...timeouts) + saving)
}

interface Closing {
  close(): Promise<void>
}

/** Configurations that a reload replaced: closed once nothing can be under way that began with them. */
export interface Retirement {
  /** @param patience milliseconds until then */
  add(old: Closing, patience: number): void
  /** Closes what waits, for a process that stops. */
  close(): Promise<void>
}

export function createRetirement(log: Log): Retirement {
  const waiting = new Map<Closing, NodeJS.Timeout>()

  async function end(old: Closing): Promise<void> {
    clearTimeout(waiting.get(old))
    waiting.delete(old)
    await old
      .close()
      .catch((error: unknown) => log.warn({ err: error }, 'a replaced configuration did not close cleanly'))
  }

  return {
    add: (old, patience) => void waiting.set(old, setTimeout(() => void end(old), patience).unref()),
    close: async () => void (await Promise.all(Array.from(waiting.keys(), end))),
  }
}
