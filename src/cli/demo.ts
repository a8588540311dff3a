/** `doorward demo`: the embedded provider, a small application and the gateway, in this process, for as long as it runs. */
import { createServer } from 'node:net'
import { parseConfigText } from '../config/read.ts'
import { resolveConfig } from '../config/resolve.ts'
import { type DemoWorld, startDemoWorld } from '../dev/demo.ts'
import { type RunningServer, startServer } from '../server.ts'
import type { LogDestination } from '../telemetry/destination.ts'
import { isPortTaken } from './listen-failure.ts'
import type { Output } from './output.ts'
import { loudLog, quietLog } from './quiet-log.ts'
import { awaitShutdown } from './shutdown.ts'
import { table } from './table.ts'
import { type Call, CommandError, type ExitCode, UsageError } from './world.ts'

const usualPort = 4180
const attempts = 50
const loopback = '127.0.0.1'

export async function demo({ out, options, world }: Call): Promise<ExitCode> {
  const wanted = readPort(options.text('port'))
  const destination = options.flag('verbose') ? loudLog(world.stderr) : quietLog(out)
  const shutdown = awaitShutdown(world)
  const started = out.progress('starting the demo')
  try {
    const { around, gateway, port } = await startOnFreePort(wanted, destination).finally(started)
    if (port !== wanted && wanted !== 0) out.say(`port ${wanted} is taken, so this is port ${port}`)
    welcome(around, out)
    await shutdown.asked
    await gateway.close()
    await around.close()
    out.say('the demo is over; nothing is left running')
    return 0
  } finally {
    shutdown.forget()
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined) return usualPort
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new UsageError(`--port "${text}" is not a port`, 'a number from 1024 to 65535, or 0 for any free one')
}

interface Demo {
  readonly around: DemoWorld
  readonly gateway: RunningServer
  readonly port: number
}

/** The redirect URIs name the port, so it is settled before anything starts. */
async function startOnFreePort(wanted: number, destination: LogDestination): Promise<Demo> {
  for (let port = wanted; port < wanted + attempts && port <= 65_535; port++) {
    const free = await freePort(port)
    if (free === undefined) continue
    const started = await start(free, destination)
    if (started !== undefined) return started
  }
  throw new CommandError(`no free port from ${wanted} on`, 'name another one: `doorward demo --port 8080`')
}

/** Undefined where somebody else has it. 0 becomes a number. */
function freePort(port: number): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const probe = createServer()
  probe.once('error', (error) => {
    if (isPortTaken(error)) resolve(undefined)
    else reject(error)
  })
  probe.listen(port, loopback, () => {
    const address = probe.address()
    probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port))
  })
  return promise
}

/** Undefined where the port went to somebody else in the meantime. */
async function start(port: number, destination: LogDestination): Promise<Demo | undefined> {
  const around = await startDemoWorld({ port })
  try {
    const gateway = await startServer({ source: sourceOf(around), destination, watch: false })
    return { around, gateway, port }
  } catch (error) {
    await around.close()
    if (isPortTaken(error)) return undefined
    throw error
  }
}

/** From memory: the demo leaves no file behind, however it ends. The environment is not asked either. */
const sourceOf = ({ configText }: DemoWorld) => ({
  load: () => resolveConfig(parseConfigText(configText, 'demo.yaml', {}), { env: {}, networkInterfaces: {} }),
})

function welcome({ publicUrl, idp }: DemoWorld, out: Output): void {
  const people = idp.accounts.all().map(({ username, password, groups }) => [username, password, mayDo(groups)])
  const lines = [
    '',
    `  Open ${out.paint.strong(publicUrl)} and sign in:`,
    '',
    ...table([['user', 'password', 'may see'], ...people], '    '),
    '',
    `  Open exactly this address: under another name, localhost too, the gateway has no site.`,
    `  ${publicUrl}/public is open to everybody. Only this machine can reach any of it.`,
    '  Ctrl-C ends everything.',
    '',
  ]
  for (const line of lines) out.result(line)
}

const mayDo = (groups: readonly string[]): string =>
  groups.includes('/admins') ? 'everything, the admin page too' : 'everything but the admin page'
