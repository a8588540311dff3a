import { once } from 'node:events'
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, ListenAddress } from './config/config.ts'
import type { Resolved } from './config/resolve.ts'
import type { WatchOptions } from './config/watch.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { drain } from './http/drain.ts'
import { openExtAuthzListener } from './http/ext-authz/listener.ts'
import { buildForwardAuthListener, buildPublicListener, secureOptions } from './http/listeners.ts'
import { buildOperations } from './http/operations.ts'
import { operationsParts } from './http/operations-parts.ts'
import { openProcess, type Process, type ProcessBounds } from './http/process.ts'
import { openReloads, type ServerSource } from './http/reloads.ts'
import { type LogDestination, openLogDestination } from './telemetry/destination.ts'

export type { ServerSource } from './http/reloads.ts'

export interface ServerOptions {
  readonly source: ServerSource
  /** Where log lines go; standard output unless given. */
  readonly destination?: LogDestination
  readonly clock?: Clock
  /** Watch the files of the configuration and reload when one changes; true unless said. */
  readonly watch?: boolean | WatchOptions
  /** For tests; the usual ones unless said. */
  readonly bounds?: ProcessBounds
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
  /** Of gRPC, without TLS; http is what a URL has for that. */
  readonly extAuthz: URL | undefined
  readonly operations: URL | undefined
}

/** Milliseconds between looks for sessions that ran out while a websocket is open. */
const sweepEvery = 1000

/** Opens everything the configuration names and listens. @throws ConfigError; Error naming the key whose address is taken */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { source, clock = systemClock, destination = openLogDestination() } = options
  const { config, warnings } = await source.load({})
  const running = await openProcess(config, destination, clock, options.bounds)
  const startedAt = clock.now()
  let accepting = true
  const current = () => running.parts.serving().config

  const publicApp = buildPublicListener(running.parts)
  const ingress = config.forwardAuth && buildForwardAuthListener(running.parts)
  const extAuthz = config.extAuthz && (await openExtAuthzListener(running.parts))
  const operations = buildOperations(
    operationsParts({ ...running, ...running.parts, startedAt, accepting: () => accepting }),
  )
  await Promise.all([publicApp.ready(), operations.ready()])
  const listening = [publicApp.server, operations.server, ...(ingress ? [ingress] : [])]
  let addresses: Addresses
  try {
    addresses = {
      public: await listen(publicApp.server, config.listen, 'listen', config.tls ? 'https' : 'http'),
      forwardAuth: config.forwardAuth && ingress && (await listen(ingress, config.forwardAuth, 'forwardAuth')),
      extAuthz: config.extAuthz && extAuthz && urlOf(config.extAuthz.host, await extAuthz.listen(config.extAuthz)),
      operations: config.operations && (await listen(operations.server, config.operations, 'operations')),
    }
  } catch (error) {
    for (const server of listening) server.close()
    await extAuthz?.close(0)
    await running.close()
    throw error
  }

  const sweeper = setInterval(() => running.sweep(), sweepEvery).unref()
  const timing = typeof options.watch === 'object' ? options.watch : {}
  const reloads = openReloads(
    withCertificates(running, publicApp.server),
    source,
    options.watch === false ? undefined : timing,
  )

  /** A second signal finds the first at work. */
  let closing: Promise<void> | undefined

  async function shutDown(): Promise<void> {
    accepting = false
    extAuthz?.leave()
    await reloads.close()
    clearInterval(sweeper)
    const { drainDelay, drainTimeout } = current().limits
    await sleep(drainDelay)
    const doors = [publicApp.server, ...(ingress ? [ingress] : [])]
    await Promise.all([
      ...doors.map((server) => drain(server, drainTimeout)),
      extAuthz?.close(drainTimeout),
      running.parts.tunnels.closeAll(),
    ])
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
    reload: reloads.reload,
    close() {
      closing ??= shutDown()
      return closing
    },
  }
}

/** A reload hands the renewed certificate to the open listener: connections go on, new ones get the new one. */
const withCertificates = (running: Process, server: Server): Process => ({
  ...running,
  swap(next) {
    running.swap(next)
    if (next.tls !== undefined && server instanceof TlsServer) server.setSecureContext(secureOptions(next.tls))
  },
})

async function listen(server: Server, { host, port }: ListenAddress, key: string, scheme = 'http'): Promise<URL> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const reason =
      cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE' ? 'is taken' : 'cannot be opened'
    throw new Error(`${key}: ${host}:${port} ${reason}`, { cause })
  }
  const { port: opened } = server.address() as AddressInfo
  return urlOf(host, opened, scheme)
}

const urlOf = (host: string, port: number, scheme = 'http'): URL =>
  new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`)
