import { constants } from 'node:os'
import type { SignalName, World } from './world.ts'

export interface Shutdown {
  /** Resolves with the first SIGTERM or SIGINT. */
  readonly asked: Promise<SignalName>
  /** Gives the signals back. */
  forget(): void
}

/** Milliseconds in which the same signal again is an echo: npm passes on a Ctrl-C that the terminal sent to all. */
const echo = 300

/**
 * Waits for the signals that end a server. Listening starts at once: as process 1 of a container there is no
 * default handling to rely on. A second signal ends the process on the spot with 128 plus its number, as shells do.
 */
export function awaitShutdown({ signals, exit }: World): Shutdown {
  const { promise, resolve } = Promise.withResolvers<SignalName>()
  let first: SignalName | undefined
  let echoing = true
  const on = (name: 'SIGINT' | 'SIGTERM') => () => {
    if (first === undefined) {
      first = name
      setTimeout(() => {
        echoing = false
      }, echo).unref()
      resolve(name)
    } else if (name !== first || !echoing) exit(128 + constants.signals[name])
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
