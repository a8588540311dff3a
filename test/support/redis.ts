import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { createClient } from 'redis'
import type { RedisOptions } from '../../src/storage/redis-options.ts'
import { type MovableClock, movableClock } from '../contracts/key-value.ts'
import { freePort } from './free-port.ts'
import { until } from './gateway.ts'
import { requirePart } from './real-part.ts'

/** A real Redis on loopback that a test can kill, stop, start again and look into. */
export interface RedisServer {
  readonly port: number
  /** Options of a store in it; each call has a prefix of its own. */
  options(more?: Partial<RedisOptions>): RedisOptions
  /** One command from outside. */
  command(...args: readonly string[]): Promise<unknown>
  /** Lets all that is under a prefix grow older, as if that much time had passed. */
  age(prefix: string, milliseconds: number): Promise<void>
  /** SIGKILL: nothing is said to anybody. */
  kill(): Promise<void>
  /** On the same port, empty. */
  start(): Promise<void>
  /** SIGSTOP: connections stay open and nobody answers. */
  freeze(): void
  thaw(): void
}

export interface RedisSettings {
  /** Further arguments of `redis-server`. */
  readonly args?: readonly string[]
  /** What the test's own commands sign in with. */
  readonly password?: string
  /** Written to a file that comes first: what a Sentinel must have. */
  readonly file?: string
  /** Runs as a Sentinel, which keeps no keys. */
  readonly sentinel?: boolean
}

/** Undefined, and the test skipped, where there is no `redis-server`. */
export async function startRedis(t: TestContext, settings: RedisSettings = {}): Promise<RedisServer | undefined> {
  const binary = requirePart(t, 'redis')
  if (binary === undefined) return undefined
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-redis-'))
  const port = await freePort()
  const server = createServer(binary, port, folder, settings)
  t.after(async () => {
    await server.kill()
    rmSync(folder, { recursive: true })
  })
  await server.start()
  return server
}

function createServer(
  binary: string,
  port: number,
  folder: string,
  { args = [], password, file, sentinel = false }: RedisSettings,
): RedisServer {
  let child: ChildProcess | undefined
  let prefixes = 0
  const server: RedisServer = {
    port,
    options: (more) => ({
      topology: { kind: 'standalone', node: { host: '127.0.0.1', port }, database: 0 },
      tls: undefined,
      username: undefined,
      password: undefined,
      prefix: `test-${prefixes++}:`,
      timeout: 500,
      ...more,
    }),
    async command(...command) {
      const client = createClient({
        socket: { host: '127.0.0.1', port, reconnectStrategy: false },
        ...(password !== undefined && { password }),
      })
      client.on('error', () => {})
      await client.connect()
      try {
        return await client.sendCommand([...command])
      } finally {
        client.destroy()
      }
    },
    async age(prefix, milliseconds) {
      await server.command('EVAL', aging, '0', `${prefix}*`, String(milliseconds))
    },
    async kill() {
      const running = child
      child = undefined
      if (running === undefined || running.exitCode !== null) return
      running.kill('SIGKILL')
      await once(running, 'exit')
    },
    async start() {
      const kept = sentinel ? ['--sentinel'] : ['--save', '', '--appendonly', 'no']
      const own = ['--bind', '127.0.0.1', ...kept]
      const first = file === undefined ? [] : [path.join(folder, 'redis.conf')]
      if (file !== undefined) writeFileSync(path.join(folder, 'redis.conf'), file)
      child = spawn(binary, [...first, '--port', String(port), '--dir', folder, ...own, ...args], { stdio: 'ignore' })
      await until(() => server.command('PING').catch(() => undefined), 'redis-server starts', 10_000)
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  }
  return server
}

const aging = `for _, key in ipairs(redis.call('keys', ARGV[1])) do
  local left = redis.call('pttl', key) - tonumber(ARGV[2])
  if left > 0 then redis.call('pexpire', key, left) else redis.call('del', key) end
end`

/** Moves the times to live in Redis along with the clock. */
export function agingClock(redis: RedisServer, prefix: string): MovableClock {
  const clock = movableClock()
  return {
    now: clock.now,
    async advance(milliseconds) {
      clock.advance(milliseconds)
      await redis.age(prefix, milliseconds)
    },
  }
}
