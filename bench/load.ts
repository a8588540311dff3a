import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { hasTaskset } from './child.ts'

export interface Load {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  readonly seconds: number
}

export interface LoadResult {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers that were not 2xx, timeouts and socket errors. A run with any is no measurement. */
  readonly bad: number
}

const hasWrk = spawnSync('wrk', ['--version']).error === undefined
export const loadTool = hasWrk ? 'wrk' : 'autocannon'

/** Loads one address from the given core. Loopback alone. */
export function runLoad(load: Load, core: number): Promise<LoadResult> {
  const { hostname } = new URL(load.url)
  if (hostname !== '127.0.0.1' && hostname !== 'localhost') throw new Error(`${load.url} is not on this machine`)
  return hasWrk ? runWrk(load, core) : runAutocannon(load)
}

async function runWrk({ url, headers, connections, seconds }: Load, core: number): Promise<LoadResult> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url]
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`)
  const [command, ...rest] = hasTaskset ? ['taskset', '-c', String(core), 'wrk', ...args] : ['wrk', ...args]
  const child = spawn(command!, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  const ended = once(child, 'close')
  for await (const chunk of child.stdout) text += chunk
  await ended
  if (child.exitCode !== 0) throw new Error(`wrk ended with ${child.exitCode}`)
  const figure = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? []
  return {
    requestsPerSecond: figure(/Requests\/sec:\s+([\d.]+)/),
    p50: milliseconds(/^\s+50%\s+(\S+)/m.exec(text)?.[1]),
    p99: milliseconds(/^\s+99%\s+(\S+)/m.exec(text)?.[1]),
    bad: figure(/Non-2xx or 3xx responses: (\d+)/) + errors.reduce((sum, count) => sum + Number(count), 0),
  }
}

/** wrk writes 87.00us, 1.20ms, 1.05s. */
function milliseconds(text: string | undefined): number {
  const [, value, unit] = /^([\d.]+)(us|ms|s)$/.exec(text ?? '') ?? []
  return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit ?? ''] ?? Number.NaN)
}

async function runAutocannon({ url, headers, connections, seconds }: Load): Promise<LoadResult> {
  const result = await autocannon({ url, headers, connections, duration: seconds })
  const { p50, p99 } = result.latency
  return { requestsPerSecond: result.requests.average, p50, p99, bad: result.non2xx + result.errors + result.timeouts }
}
