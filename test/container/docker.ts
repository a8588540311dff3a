/** The Docker daemon of this machine, the images that tests stand on, and containers that are gone with their test. */
import { execFile, execFileSync, type StdioOptions } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findPart, skipUnless } from '../support/real-part.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Docker {
  /** Path of the client. */
  readonly program: string
  /** What it printed, trimmed. @throws Error with what it complained of */
  run(...args: readonly string[]): Promise<string>
  /** Exit code and all output of a command that may fail. */
  attempt(...args: readonly string[]): Promise<Ended>
  /** The plugin of `docker` where it has one, else `docker-compose`, the first version. */
  compose(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended>
}

export interface Ended {
  readonly code: number
  readonly output: string
}

/** Undefined, and the test skipped, where no engine answers: it is a service, which no test starts unasked. */
export async function requireDocker(t: TestContext): Promise<Docker | undefined> {
  const docker = await openDocker()
  const reason = skipUnless('docker', docker !== undefined)
  if (reason !== false) {
    const started = 'no Docker engine answers here: scripts/docker-engine.sh start'
    t.skip(findPart('docker') === undefined ? reason : started)
  }
  return docker
}

/** Undefined where there is no client, or no engine answers it. */
export async function openDocker(): Promise<Docker | undefined> {
  const program = findPart('docker')
  if (program === undefined) return undefined
  const answers = async (...args: readonly string[]) => (await ended(program, args)).code === 0
  if (!(await answers('info', '--format', '{{.ServerVersion}}'))) return undefined
  return createDocker(program, (await answers('compose', 'version')) ? [program, 'compose'] : ['docker-compose'])
}

function createDocker(program: string, [compose, ...first]: readonly [string, ...string[]]): Docker {
  const attempt: Docker['attempt'] = (...args) => ended(program, args)
  return {
    program,
    attempt,
    async run(...args) {
      const { code, output } = await attempt(...args)
      if (code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${code}\n${output.slice(-3000)}`)
      return output.trim()
    },
    compose: (environment, ...args) => ended(compose, [...first, ...args], environment),
  }
}

/** Milliseconds after which the slowest command, a build or the start of a Keycloak, has failed. */
const patience = 900_000

/** In the repository, with BuildKit. */
const ended = (program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  new Promise<Ended>((resolve) => {
    const env = { ...process.env, DOCKER_BUILDKIT: '1', ...environment }
    const options = { cwd: root, env, maxBuffer: 64 * 1024 * 1024, timeout: patience }
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, output: stdout + stderr })
    })
  })

/** A public image, who stands in for it, and the variable of compose.yaml that names another. */
const images = {
  node: { variable: 'BASE_IMAGE', name: 'node:24-bookworm-slim', local: 'doorward-local/node:24' },
  keycloak: {
    variable: 'KEYCLOAK_IMAGE',
    name: 'keycloak/keycloak:26.7.0',
    local: 'doorward-local/keycloak:26.7.0',
  },
  redis: { variable: 'REDIS_IMAGE', name: 'redis:7-alpine', local: 'doorward-local/redis:7' },
  nginx: { variable: 'NGINX_IMAGE', name: 'nginx:stable-alpine', local: 'doorward-local/nginx:1' },
} as const

/** As named by the environment, already here, pulled, or made from packages: the first that works. */
export async function imageFor(docker: Docker, kind: keyof typeof images): Promise<string> {
  const { variable, name, local } = images[kind]
  const named = process.env[variable]
  if (named) return named
  for (const image of [name, local]) if ((await docker.attempt('image', 'inspect', image)).code === 0) return image
  if ((await docker.attempt('pull', '--quiet', name)).code === 0) return name
  const stdio: StdioOptions = ['ignore', 'ignore', 'inherit']
  execFileSync('bash', ['test/container/local-images.sh', kind], { cwd: root, stdio, timeout: patience })
  return local
}

/** What a build may look at, copied: an editor that saves in the meantime changes no second build. */
export function freezeContext(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-context-'))
  const listed = readFileSync(path.join(root, '.dockerignore'), 'utf8').matchAll(/^!(\S+)$/gm)
  const names = ['Dockerfile', '.dockerignore', ...[...listed].map(([, name]) => name!)]
  for (const name of names) cpSync(path.join(root, name), path.join(folder, name), { recursive: true })
  return folder
}

export interface Build {
  /** Default: the work tree. */
  readonly context?: string
  /** Fetch, compile and copy once more what an earlier build did. */
  readonly anew?: boolean
}

/** Builds the image; the layers of an earlier build are taken where nothing changed. */
export async function buildImage(docker: Docker, tag: string, { context = '.', anew }: Build = {}): Promise<void> {
  const base = await imageFor(docker, 'node')
  // By the network of the host: an engine without a bridge, or without NAT, builds as well.
  const args = ['--network', 'host', '--build-arg', `BASE=${base}`, '--build-arg', 'VERSION=1.2.3']
  await docker.run('build', '--quiet', ...args, ...(anew ? ['--no-cache'] : []), '-t', tag, context)
}

export const removeImage = (docker: Docker, tag: string): Promise<Ended> => docker.attempt('rmi', '--force', tag)
