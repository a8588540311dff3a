import { readFileSync } from 'node:fs'
import { type Child, pin, startChild } from './child.ts'
import { listeningProcess } from './listening-process.ts'
import { type BenchWorld, type DoorwardUnderTest, startBenchWorld } from './world.ts'

export interface Target {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Undefined for a peer whose process is not found: then nothing is known of its CPU and memory. */
  readonly pid: number | undefined
  readonly connections: number
}

export interface Comparison {
  readonly targets: readonly Target[]
  close(): Promise<void>
}

export interface ComparisonOptions {
  readonly connections: number
  /** `name=url` */
  readonly peers: readonly string[]
  /** File with the Cookie header for the peers. */
  readonly cookieFile: string | undefined
  readonly serverCore: number
  readonly loadCore: number
}

/** Starts everything that is compared. What was started is ended, also where a later part does not start. */
export async function openComparison(options: ComparisonOptions): Promise<Comparison> {
  const children: Child[] = []
  let world: BenchWorld | undefined
  const close = async () => {
    await world?.close()
    await Promise.all(children.map((child) => child.stop()))
  }
  const start = async (file: string, args: string[], core: number, env = {}) => {
    const child = await startChild(file, args, core, env)
    children.push(child)
    return child
  }
  try {
    const upstream = await start('./targets/upstream.ts', [], options.loadCore)
    const env = { BENCH_UPSTREAM: upstream.message.url }
    const floors = [
      { name: 'bare node', child: await start('./targets/bare-node.ts', [], options.serverCore) },
      { name: 'pipe on node:http', child: await start('./targets/pipe.ts', ['bare'], options.serverCore, env) },
      { name: 'pipe under Fastify', child: await start('./targets/pipe.ts', ['fastify'], options.serverCore, env) },
      { name: 'stock plugin', child: await start('./targets/stock-plugin.ts', [], options.serverCore, env) },
    ]
    world = await startBenchWorld(upstream.message.url!, options.serverCore)
    const ours = doorwardTargets(await world.open(false), await world.open(true))
    const bare = floorTarget(floors[0]!)
    // What reading a request of this size costs anybody.
    const same = { ...bare, name: 'bare node, same request', headers: ours[0]!.headers }
    const targets = [...floors.map(floorTarget), same, ...ours, ...peerTargets(options)]
    const many = targets
      .filter(({ name }) => name === 'bare node' || name === 'doorward forward-auth')
      .map((target) => ({ ...target, name: `${target.name}, 256 connections`, connections: 256 }))
    return { targets: [...targets.map((target) => ({ connections: options.connections, ...target })), ...many], close }
  } catch (error) {
    await close()
    throw error
  }
}

type Unloaded = Omit<Target, 'connections'>

const floorTarget = ({ name, child }: { name: string; child: Child }): Unloaded => ({
  name,
  url: `${child.message.url}/`,
  headers: {},
  pid: child.pid,
})

function doorwardTargets(quiet: DoorwardUnderTest, logging: DoorwardUnderTest): Unloaded[] {
  const { pid } = quiet.child
  const [cookie, bearer] = [{ cookie: quiet.cookie }, { authorization: `Bearer ${quiet.token}` }]
  return [
    { name: 'doorward forward-auth', pid, ...question(quiet, '/page?x=1', cookie) },
    {
      name: 'doorward forward-auth, access log',
      pid: logging.child.pid,
      ...question(logging, '/page?x=1', { cookie: logging.cookie }),
    },
    { name: 'doorward bearer', pid, ...question(quiet, '/api/x', bearer) },
    { name: 'doorward proxy', pid, url: `${quiet.publicUrl}/page`, headers: cookie },
    { name: 'doorward proxy, bearer', pid, url: `${quiet.publicUrl}/api/x`, headers: bearer },
  ]
}

/** What Traefik asks. */
const question = (target: DoorwardUnderTest, uri: string, proof: Record<string, string>) => ({
  url: `${target.forwardAuthUrl}/auth/traefik`,
  headers: {
    ...proof,
    'x-forwarded-method': 'GET',
    'x-forwarded-proto': 'http',
    'x-forwarded-uri': uri,
    'x-forwarded-host': new URL(target.publicUrl).host,
  },
})

/** Peers were started by somebody else; to be comparable they get the servers' core too. */
function peerTargets({ peers, cookieFile, serverCore }: ComparisonOptions): Unloaded[] {
  const cookie = cookieFile === undefined ? undefined : readFileSync(cookieFile, 'utf8').trim()
  return peers.map((text) => {
    const [name, ...rest] = text.split('=')
    const url = rest.join('=')
    const pid = listeningProcess(Number(new URL(url).port))
    if (pid !== undefined) pin(pid, serverCore)
    return { name: name!, url, headers: cookie === undefined ? {} : { cookie }, pid }
  })
}
