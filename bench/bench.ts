/**
 * `npm run bench`: Doorward beside the floors it stands on, in one interleaved run. The figure that holds still on a
 * shared machine is requests per CPU-second of the server; wall-clock throughput does not.
 */

import { readFileSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { parseArgs } from 'node:util'
import { cpuSeconds, hasTaskset, residentMiB, startChild } from './child.ts'
import { type LoadResult, loadTool, runLoad } from './load.ts'
import { count, decimal, median, table } from './table.ts'
import { startBenchWorld } from './world.ts'

interface Target {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Undefined for peers: somebody else's process. */
  readonly pid: number | undefined
  readonly connections: number
}

interface Sample extends LoadResult {
  readonly perCpuSecond: number
  readonly memory: number
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
    peer: { type: 'string', multiple: true, default: [] },
    cookie: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const [serverCore, loadCore] = cpus().length > 1 ? [0, 1] : [0, 0]

if (options.help) {
  console.log(`usage: npm run bench -- [--rounds N] [--seconds N] [--connections N] [--only TEXT]
                        [--peer NAME=URL]… [--cookie FILE]

--peer   another server on loopback, loaded in the same rounds
--cookie a file with the Cookie header sent to every peer
--only   targets whose name holds TEXT`)
} else await main()

async function main(): Promise<void> {
  const upstream = await startChild('./targets/upstream.ts', [], loadCore)
  const env = { BENCH_UPSTREAM: upstream.message.url }
  const floors = await Promise.all([
    startChild('./targets/bare-node.ts', [], serverCore),
    startChild('./targets/pipe.ts', ['bare'], serverCore, env),
    startChild('./targets/pipe.ts', ['fastify'], serverCore, env),
    startChild('./targets/stock-plugin.ts', [], serverCore, env),
  ])
  const world = await startBenchWorld(upstream.message.url!, serverCore)
  try {
    const [node, pipe, fastifyPipe, stock] = floors.map(({ pid, message }) => ({
      pid,
      url: `${message.url}/`,
      headers: {},
    }))
    const quiet = await world.open(false)
    const logging = await world.open(true)
    const ask = (target: typeof quiet, headers: Record<string, string>) => ({
      pid: target.child.pid,
      url: `${target.forwardAuthUrl}/auth/traefik`,
      headers: {
        ...headers,
        'x-forwarded-method': 'GET',
        'x-forwarded-proto': 'http',
        'x-forwarded-uri': '/page?x=1',
        'x-forwarded-host': new URL(target.publicUrl).host,
      },
    })
    const connections = Number(options.connections)
    const bearer = { authorization: `Bearer ${quiet.token}` }
    const asksApi = ask(quiet, bearer)
    const targets: Target[] = [
      { name: 'bare node', ...node!, connections },
      { name: 'bare node, 256 connections', ...node!, connections: 256 },
      { name: 'pipe on node:http', ...pipe!, connections },
      { name: 'pipe under Fastify', ...fastifyPipe!, connections },
      { name: 'stock plugin', ...stock!, connections },
      { name: 'doorward forward-auth', ...ask(quiet, { cookie: quiet.cookie }), connections },
      { name: 'doorward forward-auth, access log', ...ask(logging, { cookie: logging.cookie }), connections },
      { name: 'doorward forward-auth, 256 connections', ...ask(quiet, { cookie: quiet.cookie }), connections: 256 },
      {
        name: 'doorward bearer',
        ...asksApi,
        headers: { ...asksApi.headers, 'x-forwarded-uri': '/api/x' },
        connections,
      },
      {
        name: 'doorward proxy',
        pid: quiet.child.pid,
        url: `${quiet.publicUrl}/page`,
        headers: { cookie: quiet.cookie },
        connections,
      },
      {
        name: 'doorward proxy, bearer',
        pid: quiet.child.pid,
        url: `${quiet.publicUrl}/api/x`,
        headers: bearer,
        connections,
      },
      ...peers(connections),
    ].filter(({ name }) => options.only === undefined || name.includes(options.only))
    report(targets, await measure(targets))
  } finally {
    await world.close()
    await Promise.all([...floors, upstream].map((child) => child.stop()))
  }
}

function peers(connections: number): Target[] {
  const cookie = options.cookie === undefined ? undefined : readFileSync(options.cookie, 'utf8').trim()
  return options.peer.map((text) => {
    const [name, ...url] = text.split('=')
    return {
      name: name!,
      url: url.join('='),
      headers: cookie === undefined ? {} : { cookie },
      pid: undefined,
      connections,
    }
  })
}

/** Every target once a round, in random order, after one warm-up: what disturbs the machine disturbs all alike. */
async function measure(targets: readonly Target[]): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]))
  const rounds = Number(options.rounds)
  for (let round = 0; round <= rounds; round++) {
    const order = targets.map((target) => ({ target, at: Math.random() })).sort((a, b) => a.at - b.at)
    for (const { target } of order) {
      process.stderr.write(`\r\x1b[K${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${target.name}`)
      const sample = await sampleOf(target, round === 0 ? 2 : Number(options.seconds))
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

function report(targets: readonly Target[], samples: ReadonlyMap<string, readonly Sample[]>): void {
  const middle = (name: string, figure: (sample: Sample) => number) => median((samples.get(name) ?? []).map(figure))
  const rows = targets.map(({ name }) => [
    name,
    count(middle(name, (s) => s.requestsPerSecond)),
    count(middle(name, (s) => s.perCpuSecond)),
    decimal(middle(name, (s) => s.p50)),
    decimal(middle(name, (s) => s.p99)),
    count(middle(name, (s) => s.memory)),
  ])
  const [cpu] = cpus()
  const [day] = new Date().toISOString().split('T')
  console.log(
    `${day}, ${platform()} ${arch()}, ${cpus().length} x ${cpu?.model ?? 'unknown'}, Node ${process.versions.node}`,
  )
  console.log(`${loadTool}, ${options.rounds} rounds of ${options.seconds} s in random order, medians; ${pinning()}\n`)
  console.log(table(['target', 'req/s', 'req per CPU-s', 'p50 ms', 'p99 ms', 'MiB'], rows))
  const ratios = [
    ['forward-auth / bare node', 'doorward forward-auth', 'bare node', 0.7],
    ['bearer / bare node', 'doorward bearer', 'bare node', 0.6],
    ['proxy / pipe under Fastify', 'doorward proxy', 'pipe under Fastify', 0.75],
    ['proxy / pipe on node:http', 'doorward proxy', 'pipe on node:http', undefined],
    ['proxy / stock plugin', 'doorward proxy', 'stock plugin', undefined],
  ] as const
  const compared = ratios
    .filter(([, ours, floor]) => samples.has(ours) && samples.has(floor))
    .map(([title, ours, floor, goal]) => {
      const ratio = middle(ours, (s) => s.perCpuSecond) / middle(floor, (s) => s.perCpuSecond)
      return [
        title,
        decimal(ratio),
        goal === undefined ? '' : `>= ${decimal(goal)}`,
        goal === undefined ? '' : ratio >= goal ? 'met' : 'missed',
      ]
    })
  if (compared.length > 0)
    console.log(`\n${table(['ratio of requests per CPU-second', 'measured', 'goal', ''], compared)}`)
}

function pinning(): string {
  const isPinned = hasTaskset && cpus().length > 1
  return isPinned
    ? 'server pinned to one core, load and upstream to the other'
    : 'nothing pinned: the figures are rough'
}
