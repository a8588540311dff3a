import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** A program that a gateway needs beside it, in the gateway's folder, until the end of the test. */
export function startBeside(t: TestContext, folder: string, command: string, args: readonly string[]): void {
  const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >>beside.log 2>&1', command, ...args], {
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, HOME: folder },
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  t.after(async () => {
    process.off('exit', kill)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })
}
