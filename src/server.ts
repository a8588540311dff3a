import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, ListenAddress } from './config/config.ts'
import type { LoadOptions } from './config/load.ts'
import type { Resolved } from './config/resolve.ts'
import { type Watch, type WatchOptions, watchFiles } from './config/watch.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { drain } from './http/drain.ts'
import { buildForwardAuthListener, buildPublicListener } from './http/listeners.ts'
import { buildOperations } from './http/operations.ts'
import { operationsParts } from './http/operations-parts.ts'
import { openProcess, type Process } from './http/process.ts'
import { type LogDestination, openLogDestination } from './telemetry/destination.ts'

export interface ServerSource {
  /** Reads the configuration anew. @throws ConfigError, and then nothing changes */
  load(options: Pick<LoadOptions, 'ephemeralSecret'>): Resolved | Promise<Resolved>
}

export interface ServerOptions {
  readonly source: ServerSource
  /** Where log lines go; standard output unless given. */
  readonly destination?: LogDestination
  readonly clock?: Clock
  /** Watch the files of the configuration and reload when one changes; true unless said. */
  readonly watch?: boolean | WatchOptions
}

export interface RunningServer {
  readonly config: Config
  readonly warnings: Resolved['warnings']
  readonly addresses: Addresses
  /** Reads the configuration again. False where it is bad: then everything stays as it was, and the log says why. */
  reload(): Promise<boolean>
  /** Not ready, stop accepting, finish what runs, close. */
  close(): Promise<void>
}

export interface Addresses {
  readonly public: URL
  readonly forwardAuth: URL | undefined
  readonly operations: URL | undefined
}

/** Milliseconds between looks for sessions that ran out while a websocket is open. */
const sweepEvery = 1000

/** Opens everything the configuration names and listens. @throws ConfigError; Error naming the key whose address is taken */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { source, clock = systemClock, destination = openLogDestination() } = options
  const { config, warnings } = await source.load({})
  const running = await openProcess(config, destination, clock)
  const startedAt = clock.now()
  let accepting = true
  const current = () => running.parts.serving().config

  const publicApp = buildPublicListener(running.parts)
  const ingress = config.forwardAuth && buildForwardAuthListener(running.parts)
  const operations = buildOperations(
    operationsParts({ ...running, serving: running.parts.serving, startedAt, accepting: () => accepting }),
  )
  await Promise.all([publicApp.ready(), operations.ready()])
  const listening = [publicApp.server, operations.server, ...(ingress ? [ingress] : [])]
  let addresses: Addresses
  try {
    addresses = {
      public: await listen(publicApp.server, config.listen, 'listen'),
      forwardAuth: config.forwardAuth && ingress && (await listen(ingress, config.forwardAuth, 'forwardAuth')),
      operations: config.operations && (await listen(operations.server, config.operations, 'operations')),
    }
  } catch (error) {
    for (const server of listening) server.close()
    await running.close()
    throw error
  }

  const sweeper = setInterval(() => running.sweep(), sweepEvery).unref()
  const watcher = options.watch === false ? undefined : followFiles(options.watch, current, reload)

  async function reload(): Promise<boolean> {
    try {
      await takeNext(running, source)
      return true
    } catch (error) {
      running.refuseReload(error)
      return false
    }
  }

  /** A second signal finds the first at work. */
  let closing: Promise<void> | undefined

  async function shutDown(): Promise<void> {
    accepting = false
    watcher?.close()
    clearInterval(sweeper)
    const { drainDelay, drainTimeout } = current().limits
    await sleep(drainDelay)
    const doors = [publicApp.server, ...(ingress ? [ingress] : [])]
    await Promise.all([...doors.map((server) => drain(server, drainTimeout)), running.parts.tunnels.closeAll()])
    await publicApp.close()
    await running.close()
    operations.server.closeAllConnections()
    await operations.close()
  }

  return {
    get config() {
      return current()
    },
    warnings,
    addresses,
    reload,
    close() {
      closing ??= shutDown()
      return closing
    },
  }
}

async function takeNext(running: Process, source: ServerSource): Promise<void> {
  const before = running.parts.serving().config
  const [made] = before.session.secrets
  const { config: next } = await source.load(before.session.ephemeral && made ? { ephemeralSecret: made } : {})
  running.swap(keepingFixed(next, before))
  for (const key of fixedAtStart) {
    if (JSON.stringify(before[key]) === JSON.stringify(next[key])) continue
    running.log.warn({ key }, `${key} changed; it takes effect at the next start`)
  }
}

/** What a running process cannot take: its sockets are open, its log has begun. */
const fixedAtStart = ['listen', 'forwardAuth', 'operations', 'basePath', 'limits', 'log'] as const

/** The old values go on, or people would be sent to pages that are not where the new file says. */
function keepingFixed(next: Config, before: Config): Config {
  const { listen, forwardAuth, operations, basePath, limits, log } = before
  return { ...next, listen, forwardAuth, operations, basePath, limits, log }
}

/** A reload may name other files: the watch follows it. */
function followFiles(
  options: boolean | WatchOptions | undefined,
  current: () => Config,
  reload: () => Promise<boolean>,
) {
  const timing = typeof options === 'object' ? options : {}
  let watch: Watch
  const begin = () => {
    watch = watchFiles(current().files, () => void again(), timing)
  }
  const again = async () => {
    const before = current()
    await reload()
    if (current() === before) return
    watch.close()
    begin()
  }
  begin()
  return { close: () => watch.close() }
}

async function listen(server: Server, { host, port }: ListenAddress, key: string): Promise<URL> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const reason =
      cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE' ? 'is taken' : 'cannot be opened'
    throw new Error(`${key}: ${host}:${port} ${reason}`, { cause })
  }
  const { port: opened } = server.address() as AddressInfo
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${opened}`)
}
