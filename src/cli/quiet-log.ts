import { isJsonObject } from '../core/strict-json.ts'
import type { LogDestination } from '../telemetry/destination.ts'
import type { Output, Stream } from './output.ts'

/** A log destination for a terminal where something else is to be read: warnings and errors alone, as sentences. */
export const quietLog = (out: Output): LogDestination => destination((line) => tell(line, out))

/** The whole log, on standard error: standard output is for what was asked for. */
export const loudLog = (stderr: Stream): LogDestination => destination((line) => stderr.write(`${line}\n`))

function destination(take: (line: string) => unknown): LogDestination {
  return {
    write(lines) {
      for (const line of lines.split('\n')) if (line !== '') take(line)
    },
    dropped: () => 0,
    flush: () => undefined,
    close: async () => undefined,
  }
}

function tell(line: string, out: Output): void {
  const entry = read(line)
  if (entry === undefined) return
  const sentence = typeof entry.msg === 'string' ? entry.msg : 'the gateway logged something without a message'
  if (entry.level === 'warn') out.warn(sentence)
  if (entry.level === 'error' || entry.level === 'fatal') out.fail(sentence, '`--verbose` shows the whole log')
}

function read(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
