import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** A server of the comparison in a process of its own, pinned to one core where the system can. */
export interface Child {
  readonly pid: number
  readonly message: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export const hasTaskset = spawnSync('taskset', ['--version']).status === 0

/** Starts a TypeScript file that announces itself by a message. @param core to pin it to */
export async function startChild(
  file: string,
  args: readonly string[],
  core: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Child> {
  const child = fork(new URL(file, import.meta.url), args, {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const gone = once(child, 'exit').then(() => undefined)
  const message = await Promise.race([once(child, 'message').then(([first]: unknown[]) => first), gone])
  if (message === undefined || child.pid === undefined) throw new Error(`${file} ended before it listened`)
  pin(child.pid, core)
  return { pid: child.pid, message: message as Record<string, string>, stop: () => stop(child) }
}

/** All threads of a process, where the system can. */
export function pin(pid: number, core: number): void {
  if (hasTaskset) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)])
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const deadline = setTimeout(() => child.kill('SIGKILL'), 3000)
  await exit
  clearTimeout(deadline)
}

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString() || 100)

/** CPU seconds a process has used, all its threads; NaN where /proc is missing. */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return Number.NaN
  }
}

/** Resident memory in MiB; NaN where /proc is missing. */
export function residentMiB(pid: number): number {
  try {
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(line?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}
