import { constants } from 'node:os'
import type { SignalName, World } from './world.ts'

export interface Shutdown {
  /** Resolves with the first SIGTERM or SIGINT. */
  readonly asked: Promise<SignalName>
  /** Gives the signals back. */
  forget(): void
}

/**
 * Waits for the signals that end a server. Listening starts at once: as process 1 of a container there is no
 * default handling to rely on. A second signal ends the process on the spot with 128 plus its number, as shells do.
 */
export function awaitShutdown({ signals, exit }: World): Shutdown {
  const { promise, resolve } = Promise.withResolvers<SignalName>()
  let count = 0
  const on = (name: 'SIGINT' | 'SIGTERM') => () => {
    count++
    if (count === 1) resolve(name)
    else exit(128 + constants.signals[name])
  }
  const listeners = { SIGINT: on('SIGINT'), SIGTERM: on('SIGTERM') } as const
  signals.on('SIGINT', listeners.SIGINT)
  signals.on('SIGTERM', listeners.SIGTERM)
  return {
    asked: promise,
    forget() {
      signals.off('SIGINT', listeners.SIGINT)
      signals.off('SIGTERM', listeners.SIGTERM)
    },
  }
}
