import type { Log } from '../core/log.ts'

/** Milliseconds: longer than a decision can wait for a provider, so that what began under a configuration ends under it. */
const lastDecision = 30_000

interface Closing {
  close(): Promise<void>
}

/** Configurations that a reload replaced: closed once nothing can be under way that began with them. */
export interface Retirement {
  add(old: Closing): void
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
    add: (old) => void waiting.set(old, setTimeout(() => void end(old), lastDecision).unref()),
    close: async () => void (await Promise.all(Array.from(waiting.keys(), end))),
  }
}
