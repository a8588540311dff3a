import type { Environment } from '../config/interpolate.ts'
import type { Output, Stream } from './output.ts'

/** What a command sees of the process it runs in; a test gives it another. */
export interface World {
  readonly stdout: Stream
  readonly stderr: Stream
  /** For `-` and for answers, read once. */
  readonly stdin: AsyncIterable<string | Uint8Array> & { readonly isTTY?: boolean }
  readonly env: Environment
  /** Relative file names start here. */
  readonly cwd: string
  readonly signals: Signals
  /** Ends the process now, whatever is still open. */
  exit(code: number): void
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** As much of `process` as is used. */
export interface Signals {
  on(name: SignalName, listener: () => void): unknown
  off(name: SignalName, listener: () => void): unknown
}

/** 0: as asked. 1: it failed, or the answer is no. 2: it was not called rightly. */
export type ExitCode = 0 | 1 | 2

/** One call of one command. */
export interface Call {
  readonly world: World
  readonly out: Output
  readonly options: Options
  readonly positionals: readonly string[]
}

/** What was typed, by the long name of the option. */
export interface Options {
  text(name: string): string | undefined
  flag(name: string): boolean
}

/** The command was not called rightly: exit code 2. */
export class UsageError extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
  }
}

/** A failure that was planned for: one sentence, one next step, exit code 1. */
export class CommandError extends Error {
  readonly hint: string

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommandError'
    this.hint = hint
  }
}
