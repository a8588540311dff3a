import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { Agent, request } from 'undici'
import { loadConfig } from '../../src/config/load.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import type { Browser } from './browser.ts'
import { type ConfigKeys, type GatewayOptions, startGateway, type TestGateway } from './gateway.ts'
import type { RedisServer } from './redis.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface AskOptions {
  readonly path?: string
  readonly method?: string
  /** As an address bar asks; left out: as a script does. */
  readonly navigation?: boolean
  readonly cookie?: string
  readonly from?: 'public' | 'operations'
}

/** Several gateways behind one public address and one Redis, as a load balancer would have them. */
export interface Replicas {
  /** The first; browsers of the test reach it. */
  readonly gateway: TestGateway
  readonly servers: readonly RunningServer[]
  /** Asks one of them, whatever the public address leads to. */
  ask(index: number, options?: AskOptions): Promise<Answer>
  cookieOf(browser: Browser): string
  /** One more, started now; asked by the index it returns. */
  grow(): Promise<number>
}

export interface ReplicaOptions extends GatewayOptions {
  readonly count?: number
  readonly kept: 'redis' | 'cookie'
  /** Further keys of `redis`. */
  readonly redis?: ConfigKeys
}

export async function startReplicas(t: TestContext, redis: RedisServer, options: ReplicaOptions): Promise<Replicas> {
  const { prefix } = redis.options()
  const gateway = await startGateway(t, {
    ...options,
    session: { store: options.kept, ...options.session },
    config: { redis: { url: `redis://127.0.0.1:${redis.port}`, prefix, ...options.redis } },
  })
  const agent = new Agent({ connections: 200 })
  const more = await Promise.all(Array.from({ length: (options.count ?? 3) - 1 }, () => startAnother(t, gateway)))
  const servers = [gateway.server, ...more]
  t.after(() => agent.close())
  return {
    gateway,
    servers,
    async ask(index, { path = '/x', method = 'GET', navigation = false, cookie, from = 'public' } = {}) {
      const answer = await request(new URL(path, servers[index]!.addresses[from]), {
        dispatcher: agent,
        method,
        headers: {
          host: new URL(gateway.origin).host,
          ...(cookie !== undefined && { cookie }),
          ...(method !== 'GET' && { origin: gateway.origin }),
          ...(navigation && { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }),
        },
      })
      return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() }
    },
    cookieOf: (browser) => browser.cookies.header(new URL(gateway.origin)) ?? '',
    grow: async () => servers.push(await startAnother(t, gateway)) - 1,
  }
}

/** One more gateway over the same file, for a port of its own. */
export async function startAnother(t: TestContext, { file, clock, origin }: TestGateway): Promise<RunningServer> {
  const written = JSON.parse(readFileSync(file, 'utf8'))
  assert.equal(new URL(origin).protocol, 'http:')
  const server = await startServer({
    source: {
      async load(more) {
        const resolved = await loadConfig(file, {}, more)
        return { ...resolved, config: { ...resolved.config, listen: { host: '127.0.0.1', port: 0 } } }
      },
    },
    destination: { write() {}, dropped: () => 0, flush() {}, async close() {} },
    clock,
    watch: false,
  })
  assert.ok(written.redis)
  t.after(() => server.close())
  return server
}
