import { EventEmitter } from 'node:events'
import type { World } from '../../src/cli/world.ts'

export interface TestWorldOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly stdin?: string
  readonly isTTY?: boolean
  /** Told each finished line in the order they were written. */
  readonly onLine?: (stream: 'out' | 'err', line: string) => void
}

/** A process that is none: lines are collected, signals are sent by hand. */
export function worldOf({
  cwd,
  env = {},
  stdin = '',
  isTTY = false,
  onLine = () => undefined,
}: TestWorldOptions): World {
  const stream = (name: 'out' | 'err') => ({
    isTTY,
    write(text: string) {
      for (const line of text.replace(/\n$/, '').split('\n')) onLine(name, line)
    },
  })
  return {
    stdout: stream('out'),
    stderr: stream('err'),
    stdin: Object.assign(
      (async function* () {
        yield stdin
      })(),
      { isTTY },
    ),
    env,
    cwd,
    signals: new EventEmitter(),
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
  }
}
