import { arch, cpus, platform } from 'node:os'
import { hasTaskset } from './child.ts'
import type { Target } from './comparison.ts'
import { type LoadResult, loadTool } from './load.ts'
import { count, decimal, median, quantile, table } from './table.ts'

export interface Sample extends LoadResult {
  /** Requests per CPU-second of the server; NaN for a peer whose process is not found. */
  readonly perCpuSecond: number
  /** MiB resident at the end. */
  readonly memory: number
}

export type Samples = ReadonlyMap<string, readonly Sample[]>

/** Our target, the floor it stands on, and the ratio we want; undefined where it is only told. */
const ratios = [
  ['forward-auth / bare node', 'doorward forward-auth', 'bare node', 0.7],
  ['forward-auth / bare node, same request', 'doorward forward-auth', 'bare node, same request', undefined],
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
    console.log(
      `\n${table(['ratio of requests per CPU-second', 'measured', 'half of the rounds', 'goal', ''], compared)}`,
    )
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

/** By round, since both sides of a ratio must have met the same weather; the middle one, and where half of them lie. */
function comparisons(samples: Samples): readonly string[][] {
  return ratios
    .filter(([, ours, floor]) => samples.has(ours) && samples.has(floor))
    .map(([title, ours, floor, goal]) => {
      const rounds = ratiosByRound(samples.get(ours)!, samples.get(floor)!)
      const ratio = median(rounds)
      const half = `${decimal(quantile(rounds, 0.25))} to ${decimal(quantile(rounds, 0.75))}`
      if (goal === undefined) return [title, decimal(ratio), half, '', '']
      return [title, decimal(ratio), half, `>= ${decimal(goal)}`, ratio >= goal ? 'met' : 'missed']
    })
}

const ratiosByRound = (ours: readonly Sample[], floor: readonly Sample[]): readonly number[] =>
  ours.map((sample, round) => sample.perCpuSecond / floor[round]!.perCpuSecond)

function pinning(): string {
  const isPinned = hasTaskset && cpus().length > 1
  return isPinned
    ? 'server pinned to one core, load and upstream to the other'
    : 'nothing pinned: the figures are rough'
}
