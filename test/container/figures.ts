/**
 * Size and start of the image. By hand, on a machine with nothing else to do: builds the image, starts it ten times
 * (or as often as said) and prints the table of docs/container.md. Usage: node test/container/figures.ts [TIMES]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { createGzip } from 'node:zlib'
import { type ContainerWorld, containerIn, openContainerWorld } from './container-world.ts'
import { buildImage, type Docker, openDocker, removeImage } from './docker.ts'

/** Bytes of `docker save`, gzipped: what a registry holds, give or take its manifest. */
export async function compressedSize({ program }: Docker, image: string): Promise<number> {
  const child = spawn(program, ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  let bytes = 0
  for await (const chunk of child.stdout.pipe(createGzip())) bytes += chunk.length
  const [code] = await ended
  if (code !== 0) throw new Error(`docker save: exit code ${code}`)
  return bytes
}

/** Milliseconds from the start of the process, as Docker noted it, to the first 200 of /readyz. */
export async function timeToReady(docker: Docker, world: ContainerWorld, image: string): Promise<number> {
  const name = `doorward-test-${process.pid}-start`
  try {
    await docker.run('create', '--name', name, ...containerIn(world, image, '--no-healthcheck'))
    const starting = docker.run('start', name)
    const readyAt = await firstAnswer(`${world.operations}/readyz`, 60_000)
    await starting
    return readyAt - Date.parse(await docker.run('inspect', '--format', '{{.State.StartedAt}}', name))
  } finally {
    await docker.attempt('rm', '--force', name)
  }
}

/** The time of day in milliseconds at which an address first answers well. @throws Error where it never does */
async function firstAnswer(address: string, patience: number): Promise<number> {
  const end = Date.now() + patience
  while (Date.now() < end) {
    const answer = await fetch(address).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return Date.now()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${address} never answered well`)
}

async function printFigures(times: number): Promise<void> {
  const docker = await openDocker()
  if (docker === undefined) throw new Error('no Docker engine answers here: scripts/docker-engine.sh start')
  const image = `doorward-test:figures-${process.pid}`
  const world = await openContainerWorld()
  try {
    await buildImage(docker, image)
    console.log(`unpacked    ${mega(Number(await docker.run('image', 'inspect', '--format', '{{.Size}}', image)))}`)
    console.log(`compressed  ${mega(await compressedSize(docker, image))}`)
    const taken: number[] = []
    for (let each = 0; each < times; each++) taken.push(await timeToReady(docker, world, image))
    console.log(`to /readyz  ${taken.map(Math.round).join(' ')} ms`)
    console.log(`median      ${Math.round(medianOf(taken))} ms, with a load of ${loadavg()[0]?.toFixed(2)} at the end`)
  } finally {
    await world.close()
    await removeImage(docker, image)
  }
}

const mega = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

if (import.meta.main) await printFigures(Number(process.argv[2] ?? 10))
