/**
 * `npm run bench`: Doorward beside the floors it stands on, in one interleaved run. The figure that holds still on a
 * shared machine is requests per CPU-second of the server; wall-clock throughput does not.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { cpuSeconds, residentMiB } from './child.ts'
import { openComparison, type Target } from './comparison.ts'
import { runLoad } from './load.ts'
import { report, type Sample, type Samples } from './report.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '32' },
    peer: { type: 'string', multiple: true, default: [] },
    cookie: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const [serverCore, loadCore] = cpus().length > 1 ? [0, 1] : [0, 0]
/** Seconds of the first round, which is not counted. */
const warmUp = 2

if (options.help) {
  console.log(`usage: npm run bench -- [--rounds N] [--seconds N] [--connections N] [--only TEXT]
                        [--peer NAME=URL]… [--cookie FILE]

--peer   another server on loopback, loaded in the same rounds and pinned to the same core
--cookie a file with the Cookie header sent to every peer
--only   targets whose name holds TEXT`)
} else await main()

async function main(): Promise<void> {
  const { peer: peers, cookie: cookieFile, only } = options
  const connections = Number(options.connections)
  const comparison = await openComparison({
    connections,
    peers,
    cookieFile,
    serverCore: serverCore!,
    loadCore: loadCore!,
  })
  try {
    const targets = comparison.targets.filter(({ name }) => only === undefined || name.includes(only))
    report(targets, await measure(targets), options)
  } finally {
    await comparison.close()
  }
}

/** Every target once a round, in random order, after one warm-up: what disturbs the machine disturbs all alike. */
async function measure(targets: readonly Target[]): Promise<Samples> {
  const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]))
  const rounds = Number(options.rounds)
  for (let round = 0; round <= rounds; round++) {
    const order = targets.map((target) => ({ target, at: Math.random() })).sort((a, b) => a.at - b.at)
    for (const { target } of order) {
      process.stderr.write(`\r\x1b[K${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${target.name}`)
      const sample = await sampleOf(target, round === 0 ? warmUp : Number(options.seconds))
      if (sample.bad > 0) throw new Error(`${target.name}: ${sample.bad} answers were not 200; this is no measurement`)
      if (round > 0) samples.get(target.name)!.push(sample)
    }
  }
  process.stderr.write('\r\x1b[K')
  return samples
}

async function sampleOf({ pid, ...target }: Target, seconds: number): Promise<Sample> {
  const before = pid === undefined ? Number.NaN : cpuSeconds(pid)
  const result = await runLoad({ ...target, seconds }, loadCore!)
  const used = pid === undefined ? Number.NaN : cpuSeconds(pid) - before
  const perCpuSecond = (result.requestsPerSecond * seconds) / used
  return { ...result, perCpuSecond, memory: pid === undefined ? Number.NaN : residentMiB(pid) }
}
