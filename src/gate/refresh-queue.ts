/** Owns how hard a provider is asked for fresh tokens: never by all sessions at once. */
import { GatewayError } from '../core/errors.ts'

/**
 * Lets so many token requests of one process go to a provider at a time; the others wait their turn. Thousands of
 * sessions fall due together after an outage or at the start of a working day, and a provider that is overrun then
 * refuses the logins too.
 */
export interface RefreshQueue {
  /** @throws GatewayError `provider_unreachable` where the turn does not come in time: a fault that passes */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Work that began now would have to wait for its turn. */
  isFull(): boolean
}

const usualAtOnce = 50

/** @param patience milliseconds to wait for a turn, so that a provider that hangs does not hold requests for ever */
export function createRefreshQueue(patience: number, atOnce = usualAtOnce): RefreshQueue {
  const waiting = new Set<() => void>()
  let running = 0

  function turn(): Promise<void> {
    if (running < atOnce) {
      running++
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const go = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(go)
        reject(new GatewayError('provider_unreachable', `${atOnce} refreshes are under way and do not end`))
      }, patience)
      waiting.add(go)
    })
  }

  function leave(): void {
    const [first] = waiting
    if (first === undefined) running--
    else {
      waiting.delete(first)
      first()
    }
  }

  return {
    async run(work) {
      await turn()
      try {
        return await work()
      } finally {
        leave()
      }
    },
    isFull: () => running >= atOnce,
  }
}
