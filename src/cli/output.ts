/**
 * The voice of the command line. Its rules:
 *
 * - What was asked for goes to standard output, bare, so that it can be piped. Everything else goes to standard
 *   error with `doorward:` in front.
 * - A sentence starts small, has no full stop, and names the place first: `doorward.yaml:12: session.idle: …`.
 * - `error:` says what is wrong, `hint:` on the next line what to do about it. No error without a next step.
 * - Quotes stand around what somebody wrote, backticks around what they may write.
 * - Colour helps the eye and never carries the meaning. Only terminals get it.
 * - Secrets, tokens and cookies are never printed, and text of others cannot steer the terminal.
 */
import type { Environment } from '../config/interpolate.ts'
import { escapeControls } from '../telemetry/scrub.ts'
import { createPaint, isColourful, type Paint } from './paint.ts'
import { startSpinner } from './spinner.ts'

/** As much of `process.stdout` as is used. */
export interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** Of the terminal, where it is one. */
  readonly columns?: number | undefined
}

export interface Output {
  /** A line of what was asked for. */
  result(line?: string): void
  /** What was asked for, for a program to read. */
  json(value: unknown): void
  say(sentence: string): void
  warn(sentence: string, hint?: string): void
  fail(sentence: string, hint?: string): void
  /** Shows that long work goes on, on a terminal; call what it returns when the work is done. */
  progress(doing: string): () => void
  /** Colours for `result`. */
  readonly paint: Paint
  /** Where lines of prose are broken: at the edge of the terminal, and not so far out that they are hard to read. */
  readonly columns: number
}

export function createOutput(stdout: Stream, stderr: Stream, env: Environment): Output {
  const paint = createPaint(isColourful(stdout, env))
  const aside = createPaint(isColourful(stderr, env))
  const tell = (text: string) => {
    for (const line of text.split('\n')) stderr.write(`doorward: ${harmless(line)}\n`)
  }
  const hinted = (hint: string | undefined) => {
    if (hint !== undefined && hint !== '') tell(`${aside.quiet('hint:')} ${hint}`)
  }
  return {
    paint,
    columns: Math.min(Math.max(stdout.columns ?? 80, 40), 100),
    result: (line = '') => void stdout.write(`${harmless(line)}\n`),
    json: (value) => void stdout.write(`${escapeControls(JSON.stringify(value, undefined, 2))}\n`),
    say: tell,
    warn(sentence, hint) {
      tell(`${aside.warning('warning:')} ${sentence}`)
      hinted(hint)
    },
    fail(sentence, hint) {
      tell(`${aside.bad('error:')} ${sentence}`)
      hinted(hint)
    },
    progress: (doing) => (stderr.isTTY === true ? startSpinner(stderr, doing) : () => undefined),
  }
}

/**
 * Claims and config values are text of others: their control characters are shown. The colours of paint.ts pass, and no
 * other codes of that kind: one of them hides all that follows.
 */
export const harmless = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    /\x1b\[(?:[0-2]|3[1-3])m|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (found) => (found.length > 1 ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
