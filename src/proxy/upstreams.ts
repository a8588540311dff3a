/** Owns the connections to the applications behind the gateway: one pool per distinct address and TLS identity. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { RouteConfig, UpstreamConfig } from '../config/config.ts'
import type { RouteIndex } from '../core/verdict.ts'
import { type IdleWatch, openIdleWatch } from './idle-watch.ts'

/** What a route needs to reach its upstream. Routes with the same address share the pool. */
export interface Upstream {
  readonly config: UpstreamConfig
  /** `http://10.0.0.7:3000`, as `URL.origin` spells it. */
  readonly origin: string
  /** What Host says where the route rewrites it. */
  readonly host: string
  /** The upstream's own name, whatever Host is kept. */
  readonly servername: string
  readonly pool: UpstreamPool
  /** Ends transfers that stood still for `bodyTimeout`. */
  readonly idle: IdleWatch
}

export interface Upstreams {
  /** The upstream of a route; undefined where the route has none. */
  of(route: RouteIndex): Upstream | undefined
  /** Lets running requests finish, then closes every connection. */
  close(): Promise<void>
  /** Closes every connection at once; running requests fail. */
  destroy(): Promise<void>
}

export interface UpstreamsWorld {
  /** Reads a PEM file; `readFileSync` unless said. */
  readonly readFile?: (path: string) => string | Buffer
}

export interface UpstreamRequest extends Dispatcher.DispatchOptions {
  /** Constant per upstream: undici would take it from the client's Host, and reconnect whenever that changes. */
  servername: string
  /** Filled in by the pool: the connection that carries this request. */
  connection: UpstreamConnection | undefined
}

export interface UpstreamPool {
  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): boolean
  close(): Promise<void>
  destroy(): Promise<void>
}

/** One connection that knows how many answers it has carried: only a reused one may have died of old age. */
export class UpstreamConnection extends Client {
  served = 0

  constructor(origin: string | URL, options: Client.Options) {
    super(origin, options)
    this.on('connect', () => {
      this.served = 0
    })
  }

  override dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): boolean {
    request.connection = this
    return super.dispatch(request, handler)
  }
}

/** Bytes of headers an upstream may answer with; more is 502. */
const maxHeaderSize = 64 * 1024

/** @throws Error naming the file, where a CA or client certificate file cannot be read */
export function openUpstreams(routes: readonly RouteConfig[], world: UpstreamsWorld = {}): Upstreams {
  const pools = new Map<string, UpstreamPool>()
  const watches = new Map<number, IdleWatch>()
  const read = world.readFile ?? readFileSync

  const open = (config: UpstreamConfig): Upstream => ({
    config,
    origin: config.url.origin,
    host: config.url.host,
    servername: config.url.hostname,
    pool: getOrAdd(pools, poolKey(config), () => openPool(config, read)),
    idle: getOrAdd(watches, config.bodyTimeout, () => openIdleWatch(config.bodyTimeout)),
  })
  const upstreams = routes.map((route) => (route.upstream === undefined ? undefined : open(route.upstream)))

  async function end(how: 'close' | 'destroy'): Promise<void> {
    await Promise.all(Array.from(pools.values(), (pool) => pool[how]()))
    for (const watch of watches.values()) watch.close()
  }

  return { of: (route) => upstreams[route], close: () => end('close'), destroy: () => end('destroy') }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, open: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const opened = open()
  map.set(key, opened)
  return opened
}

/** Everything that makes a connection what it is; a connection is never shared across a difference. */
function poolKey(config: UpstreamConfig): string {
  const { url, socketPath, caFile, clientCertificate, connectTimeout, connections } = config
  return JSON.stringify([url.origin, socketPath, caFile, clientCertificate, connectTimeout, connections])
}

function openPool(config: UpstreamConfig, read: (path: string) => string | Buffer): UpstreamPool {
  return new Pool(config.url.origin, {
    factory: (origin, options) => new UpstreamConnection(origin, options),
    connect: connectorOf(config, read),
    connections: config.connections,
    // One request at a time: a broken answer can never shift onto the next person's request.
    pipelining: 1,
    allowH2: false,
    maxHeaderSize,
    bodyTimeout: 0,
  })
}

/** Connects as the pool does, for one who has a question of their own. */
export function connectorOf(config: UpstreamConfig, read: (path: string) => string | Buffer): buildConnector.connector {
  const { url, socketPath, caFile, clientCertificate, connectTimeout } = config
  const connect = buildConnector({
    allowH2: false,
    timeout: connectTimeout,
    ...(socketPath !== undefined && { socketPath }),
    ...(caFile !== undefined && { ca: read(caFile) }),
    ...(clientCertificate !== undefined && {
      cert: read(clientCertificate.certFile),
      key: read(clientCertificate.keyFile),
    }),
  })
  // SNI is the upstream's own name, and none for an address (RFC 6066 3), whatever Host the request carries.
  const servername = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? url.hostname : ''
  return (options, callback) => connect({ ...options, host: url.host, servername }, callback)
}
