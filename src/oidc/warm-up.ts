import type { Log } from '../core/log.ts'

export interface WarmUp {
  start(): void
  stop(): void
}

const firstPause = 1000
const longestPause = 30_000

/** Calls `attempt` until it succeeds, with growing, jittered pauses. Its timers hold no process open. */
export function createWarmUp(name: string, log: Log, attempt: () => Promise<void>): WarmUp {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let started = false

  const run = async (pause: number): Promise<void> => {
    try {
      await attempt()
      log.info({ provider: name }, 'provider ready')
    } catch (error) {
      if (stopped) return
      const detail = error instanceof Error ? error.message : 'unknown fault'
      log.warn({ provider: name, detail }, 'provider not ready, trying again')
      timer = setTimeout(() => void run(Math.min(pause * 2, longestPause)), pause * (0.75 + Math.random() / 2))
      timer.unref()
    }
  }
  return {
    start: () => {
      if (started) return
      started = true
      void run(firstPause)
    },
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
