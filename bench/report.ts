import { arch, cpus, platform } from 'node:os'
import { hasTaskset } from './child.ts'
import type { Target } from './comparison.ts'
import { type LoadResult, loadTool } from './load.ts'
import { count, decimal, median, table } from './table.ts'

export interface Sample extends LoadResult {
  /** Requests per CPU-second of the server; NaN for peers. */
  readonly perCpuSecond: number
  /** MiB resident at the end. */
  readonly memory: number
}

export type Samples = ReadonlyMap<string, readonly Sample[]>

/** Our target, the floor it stands on, and the ratio we want; undefined where it is only told. */
const ratios = [
  ['forward-auth / bare node', 'doorward forward-auth', 'bare node', 0.7],
  ['bearer / bare node', 'doorward bearer', 'bare node', 0.6],
  ['proxy / pipe under Fastify', 'doorward proxy', 'pipe under Fastify', 0.75],
  ['proxy / pipe on node:http', 'doorward proxy', 'pipe on node:http', undefined],
  ['proxy / stock plugin', 'doorward proxy', 'stock plugin', undefined],
] as const

/** Prints what was measured, and nothing else. */
export function report(targets: readonly Target[], samples: Samples, how: { rounds: string; seconds: string }): void {
  const [cpu] = cpus()
  const [day] = new Date().toISOString().split('T')
  const machine = `${cpus().length} x ${cpu?.model ?? 'unknown'}`
  console.log(`${day}, ${platform()} ${arch()}, ${machine}, Node ${process.versions.node}`)
  console.log(`${loadTool}, ${how.rounds} rounds of ${how.seconds} s in random order, medians; ${pinning()}\n`)
  console.log(table(['target', 'req/s', 'req per CPU-s', 'p50 ms', 'p99 ms', 'MiB'], rowsOf(targets, samples)))
  const compared = comparisons(samples)
  if (compared.length > 0)
    console.log(`\n${table(['ratio of requests per CPU-second', 'measured', 'goal', ''], compared)}`)
}

const middle = (samples: Samples, name: string, figure: (sample: Sample) => number): number =>
  median((samples.get(name) ?? []).map(figure))

const rowsOf = (targets: readonly Target[], samples: Samples): readonly string[][] =>
  targets.map(({ name }) => [
    name,
    count(middle(samples, name, (sample) => sample.requestsPerSecond)),
    count(middle(samples, name, (sample) => sample.perCpuSecond)),
    decimal(middle(samples, name, (sample) => sample.p50)),
    decimal(middle(samples, name, (sample) => sample.p99)),
    count(middle(samples, name, (sample) => sample.memory)),
  ])

function comparisons(samples: Samples): readonly string[][] {
  const perCpuSecond = (name: string) => middle(samples, name, (sample) => sample.perCpuSecond)
  return ratios
    .filter(([, ours, floor]) => samples.has(ours) && samples.has(floor))
    .map(([title, ours, floor, goal]) => {
      const ratio = perCpuSecond(ours) / perCpuSecond(floor)
      if (goal === undefined) return [title, decimal(ratio), '', '']
      return [title, decimal(ratio), `>= ${decimal(goal)}`, ratio >= goal ? 'met' : 'missed']
    })
}

function pinning(): string {
  const isPinned = hasTaskset && cpus().length > 1
  return isPinned
    ? 'server pinned to one core, load and upstream to the other'
    : 'nothing pinned: the figures are rough'
}
