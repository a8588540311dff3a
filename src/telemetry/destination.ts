import { openSync } from 'node:fs'
import pino from 'pino'

/** Where finished log lines go. One per process: lines of all kinds keep their order. */
export interface LogDestination {
  /** A whole line with its newline. Never blocks and never throws. */
  write(line: string): void
  /** Batches lost because nobody read our output, or it was closed. */
  dropped(): number
  /** Writes out what is waiting before it returns: for the last breath of a process that crashes. */
  flush(): void
  /** Resolves once everything is written, or after a second where nobody reads. */
  close(): Promise<void>
}

/** Characters gathered before a write, so that a busy gateway makes one system call for dozens of lines. */
const batch = 8192
/** Bytes that may wait for a reader; beyond it lines are dropped rather than requests or memory. */
const mostWaiting = 16 * 1024 * 1024
const flushEvery = 1000
const patience = 1000

/** @param to a file descriptor (1 is standard output, where a container's log is read from) or a file to append to */
export function openLogDestination(to: number | string = 1): LogDestination {
  const dest = typeof to === 'number' ? to : openSync(to, 'a', 0o640)
  const stream = pino.destination({ dest, sync: false, minLength: 0, maxLength: mostWaiting })
  let waiting = ''
  let lost = 0
  stream.on('drop', () => lost++)
  // A closed pipe ends the log, not the gateway.
  stream.on('error', () => lost++)
  const hand = () => {
    if (waiting !== '') guard(() => stream.write(waiting))
    waiting = ''
  }
  const guard = (act: () => unknown) => {
    try {
      act()
    } catch {
      lost++
    }
  }
  const timer = setInterval(hand, flushEvery).unref()
  return {
    write(line) {
      waiting += line
      if (waiting.length >= batch) hand()
    },
    dropped: () => lost,
    flush() {
      hand()
      guard(() => stream.flushSync())
    },
    close() {
      clearInterval(timer)
      hand()
      return ended(stream, guard)
    },
  }
}

type Stream = ReturnType<typeof pino.destination>

function ended(stream: Stream, guard: (act: () => unknown) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, patience)
  stream.once('close', resolve)
  stream.once('error', () => resolve())
  guard(() => stream.end())
  return promise.finally(() => clearTimeout(timer))
}
