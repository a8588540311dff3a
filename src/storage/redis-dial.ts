/** Owns the way to Redis: one connected and proven connection, whatever the topology. Nothing here tries again. */
import { readFileSync } from 'node:fs'
import { getCACertificates } from 'node:tls'
import { createClient, createCluster } from 'redis'
import { within } from './deadline.ts'
import type { RedisNode, RedisOptions, RedisTopology } from './redis-options.ts'

/** A connection that can be lost, and then stays lost: redis-link.ts makes a new one. */
export interface RedisConnection {
  /** @param key decides the shard of a cluster; undefined goes to any of them */
  send(key: string | undefined, args: readonly string[]): Promise<unknown>
  /** Other parts of it go on working where one fails: a cluster, whose map is then read anew. */
  readonly survivesFailures: boolean
  /** Told once, where the connection breaks by itself. */
  onLost(listener: (error: Error) => void): void
  close(): void
}

/** A connection that listens too: to one server, since a published message reaches every server of a cluster. */
export interface RedisListening extends RedisConnection {
  subscribe(channel: string, listener: (message: string) => void): Promise<void>
}

/** Milliseconds for TCP, TLS and the greeting: a server that hangs accepts connections and then says nothing. */
const connectTimeout = 2000

/** @throws whatever stands in the way: no route, TLS, wrong password, a replica */
export function dialForCommands(options: RedisOptions, turn: number): Promise<RedisConnection> {
  const { topology } = options
  return topology.kind === 'cluster' ? dialCluster(options, topology.nodes) : dialForMessages(options, turn)
}

/** @param turn counts attempts, so that each begins at another node */
export async function dialForMessages(options: RedisOptions, turn: number): Promise<RedisListening> {
  const { topology, username, password } = options
  const node = await nodeOf(options, topology, turn)
  const database = topology.kind === 'cluster' ? 0 : topology.database
  return dialNode(node, { ...options, username, password, database })
}

async function nodeOf(options: RedisOptions, topology: RedisTopology, turn: number): Promise<RedisNode> {
  if (topology.kind === 'standalone') return topology.node
  if (topology.kind === 'cluster') return topology.nodes[turn % topology.nodes.length]!
  return askSentinel(options, topology, topology.sentinels[turn % topology.sentinels.length]!)
}

/** https://redis.io/docs/latest/develop/reference/sentinel-clients/ step 1 and 2; step 3 is the probe of the link. */
async function askSentinel(
  options: RedisOptions,
  { name, username, password }: Extract<RedisTopology, { kind: 'sentinel' }>,
  sentinel: RedisNode,
): Promise<RedisNode> {
  const connection = await dialNode(sentinel, { ...options, username, password, database: 0 })
  try {
    const answer = await connection.send(undefined, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name])
    const [host, port] = Array.isArray(answer) ? answer : []
    if (typeof host === 'string' && typeof port === 'string') return { host, port: Number(port) }
    throw new Error(`the sentinel ${sentinel.host}:${sentinel.port} knows no primary called ${name}`)
  } finally {
    connection.close()
  }
}

type NodeOptions = Pick<RedisOptions, 'tls' | 'username' | 'password'> & { readonly database: number }

async function dialNode(node: RedisNode, options: NodeOptions): Promise<RedisListening> {
  const client = createClient({
    ...clientOptions(options),
    socket: { ...socketOptions(options), host: node.host, port: node.port },
    database: options.database,
  })
  let lose: (error: Error) => void = () => {}
  client.on('error', (error: Error) => lose(error))
  try {
    await within(client.connect(), connectTimeout)
  } catch (error) {
    client.destroy()
    throw error
  }
  return {
    send: (_key, args) => client.sendCommand([...args]),
    survivesFailures: false,
    onLost(listener) {
      lose = listener
    },
    subscribe: (channel, listener) => client.subscribe(channel, listener),
    close: () => client.destroy(),
  }
}

async function dialCluster(options: RedisOptions, nodes: readonly RedisNode[]): Promise<RedisConnection> {
  const socket = socketOptions(options)
  const cluster = createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { ...socket, host, port } })),
    defaults: { ...clientOptions(options), socket },
    // Shards are connected when they are needed: one that is down takes its own keys alone.
    minimizeConnections: true,
  })
  cluster.on('error', () => {})
  try {
    await within(cluster.connect(), connectTimeout)
  } catch (error) {
    cluster.destroy()
    throw error
  }
  return {
    send: (key, args) => cluster.sendCommand(key, false, [...args]),
    survivesFailures: true,
    onLost() {},
    close: () => cluster.destroy(),
  }
}

/** No queue while offline and no attempts of its own: a command that cannot go out now fails now. */
function clientOptions({ username, password }: Pick<NodeOptions, 'username' | 'password'>) {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: password.reveal() }),
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled' as const,
  }
}

function socketOptions({ tls }: Pick<NodeOptions, 'tls'>) {
  const common = { connectTimeout, reconnectStrategy: false as const }
  if (tls === undefined) return common
  const { caFile, serverName } = tls
  // The given authorities stand beside the usual ones; each dial reads them anew.
  const ca = caFile === undefined ? {} : { ca: [...getCACertificates('default'), readFileSync(caFile, 'utf8')] }
  return { ...common, tls: true as const, ...ca, ...(serverName !== undefined && { servername: serverName }) }
}
