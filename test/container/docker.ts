/** The Docker daemon of this machine, the images that tests stand on, and containers that are gone with their test. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findPart, skipUnless } from '../support/real-part.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Docker {
  /** What it printed, trimmed. @throws Error with what it complained of */
  run(...args: readonly string[]): Promise<string>
  /** Exit code and all output of a command that may fail. */
  attempt(...args: readonly string[]): Promise<Ended>
  /** `docker-compose`, or the plugin of `docker`. */
  compose(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended>
}

export interface Ended {
  readonly code: number
  readonly output: string
}

/** Undefined, and the test skipped, where no daemon answers: it is a service, which nobody starts unasked. */
export async function requireDocker(t: TestContext): Promise<Docker | undefined> {
  const program = findPart('docker')
  const docker = program === undefined ? undefined : createDocker(program)
  const answers = (await docker?.attempt('info', '--format', '{{.ServerVersion}}'))?.code === 0
  const reason = skipUnless('docker', answers)
  if (reason !== false) t.skip(program === undefined ? reason : 'no Docker daemon answers here: `dockerd --mtu 1400`')
  return answers ? docker : undefined
}

function createDocker(program: string): Docker {
  const attempt: Docker['attempt'] = (...args) => ended(program, args)
  return {
    attempt,
    async run(...args) {
      const { code, output } = await attempt(...args)
      if (code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${code}\n${output.slice(-3000)}`)
      return output.trim()
    },
    compose(environment, ...args) {
      const alone = '/usr/bin/docker-compose'
      const [command, first] = existsSync(alone) ? [alone, []] : [program, ['compose']]
      return ended(command, [...first, ...args], environment)
    },
  }
}

/** In the repository, with BuildKit. */
const ended = (program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  new Promise<Ended>((resolve) => {
    const env = { ...process.env, DOCKER_BUILDKIT: '1', ...environment }
    execFile(program, args, { cwd: root, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
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
  execFileSync('bash', ['test/container/local-images.sh', kind], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  return local
}

/** Builds the image of the work tree; the layers of an earlier build are taken where nothing changed. */
export async function buildImage(docker: Docker, tag: string): Promise<string> {
  const base = await imageFor(docker, 'node')
  await docker.run('build', '--quiet', '--build-arg', `BASE=${base}`, '--build-arg', 'VERSION=1.2.3', '-t', tag, '.')
  return tag
}
