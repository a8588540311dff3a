import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { TestContext } from 'node:test'

const bin = path.join(import.meta.dirname, '../../bin/doorward.js')

/** Of our own environment: where programs are, and modules that somebody compiled before. */
const { PATH, NODE_COMPILE_CACHE } = process.env
const inherited = { PATH, ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }) }

export interface Command {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves with the match once the output so far, both streams, holds it; fails where the process ends without. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Exit code, or 128 plus the signal's name where one killed it. */
  ended(): Promise<number | string>
}

/** `doorward …` as people start it: the real process, with an environment of its own. No test leaves one behind. */
export function start(
  t: TestContext,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: string } = {},
): Command {
  const { cwd, env = {}, stdin = '' } = options
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...inherited, ...env } })
  t.after(() => child.kill('SIGKILL'))
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  child.stdin.end(stdin)
  const closed = once(child, 'close').then(([code, signal]) => code ?? signal)
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    async says(pattern) {
      for (;;) {
        const match = pattern.exec(out + err)
        if (match !== null) return match
        const more = Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), closed])
        if (typeof (await more) !== 'object') throw new Error(`ended without saying ${pattern}: ${out}${err}`)
      }
    },
    ended: () => closed,
  }
}
