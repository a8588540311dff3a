import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { ask } from '../attacks/wire.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'

/** The version that a program prints about itself. */
export function versionOf(command: string, { name, version }: GatewayProduct): string {
  const { stdout, stderr } = spawnSync(command, version.args, { encoding: 'utf8', timeout: 10_000 })
  const found = version.pattern.exec(stdout + stderr)?.[1]
  if (found === undefined) throw new Error(`${command} does not tell the version of ${name}`)
  return found
}

/** Writes the files, starts the gateway, waits until it listens; ends it with the test. */
export async function startGatewayProcess(
  t: TestContext,
  product: GatewayProduct,
  command: string,
  places: Places,
): Promise<void> {
  for (const [name, text] of Object.entries(product.files(places))) {
    const file = path.join(places.folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  await product.beside?.(t, places.folder)
  const log = path.join(places.folder, 'output.log')
  const child = spawn(
    '/bin/sh',
    ['-c', 'exec "$0" "$@" >output.log 2>&1', command, ...product.arguments(places.folder)],
    {
      cwd: places.folder,
      stdio: 'ignore',
      env: { ...process.env, HOME: places.folder, ...product.environment?.(places.folder) },
    },
  )
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  t.after(async () => {
    process.off('exit', kill)
    await stop(child)
  })
  await serving(
    child,
    places,
    product.patience ?? 15_000,
    () => `${product.name} did not start:\n${readFileSync(log, 'utf8')}`,
  )
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
  await exited
  clearTimeout(timer)
}

/** It listens before its certificates and routes are there, some of them. */
async function serving(child: ChildProcess, places: Places, patience: number, why: () => string): Promise<void> {
  const end = performance.now() + patience
  while (!(await answers(places))) {
    if (child.exitCode !== null || performance.now() > end) throw new Error(why())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function answers({ host, port }: Places): Promise<boolean> {
  const question = { target: '/public/ready', headers: [['Host', `${host}:${port}`]] } as const
  const answer = await ask(port, question, { servername: host }).catch(() => undefined)
  return answer?.status === 200
}
