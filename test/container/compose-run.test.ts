/** `docker compose up`, for real: Keycloak, Redis, Doorward, the application, and nginx in front. Minutes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { passwordsOf, tryOut } from './compose-journey.ts'
import { doorward } from './container-world.ts'
import { buildImage, type Docker, type Ended, imageFor, removeImage, requireDocker } from './docker.ts'

const project = `doorward-test-${process.pid}`
const image = `doorward-test:compose-${process.pid}`

test('compose.yaml comes up with one command, and people sign in', { timeout: 1_200_000 }, async (t) => {
  const docker = await requireDocker(t)
  if (docker === undefined) return
  if ((await docker.attempt('network', 'inspect', 'bridge')).code !== 0)
    return t.skip('the Docker engine here has no network but that of the host: compose.yaml cannot run')
  const environment = await environmentOf(docker)
  const compose = (...args: readonly string[]) =>
    docker.compose(environment, '-p', project, '--profile', 'nginx', ...args)
  t.after(async () => {
    const down = await compose('down', '--volumes')
    await removeImage(docker, image)
    assert.equal(down.code, 0, down.output.slice(-3000))
    await nothingIsLeft(docker)
  })
  await buildImage(docker, image)

  const [version = ''] = (await compose('version')).output.split('\n')
  const began = performance.now()
  // The first version cannot wait by that name: it returns when nginx started, and that waits for all others.
  const up = await compose('up', '--detach', ...(/version 1\./.test(version) ? [] : ['--wait']))
  assert.equal(up.code, 0, `${up.output.slice(-3000)}\n${(await compose('logs', '--no-color')).output.slice(-6000)}`)
  t.diagnostic(`${Math.round((performance.now() - began) / 1000)} s until all was healthy, ${version}`)

  const { output } = await compose('logs', '--no-color', 'first-start')
  const world = { keycloak: `http://localhost:${environment.KEYCLOAK_PORT}`, passwords: passwordsOf(output) }
  for (const port of [environment.DOORWARD_PORT, environment.NGINX_PORT]) {
    await t.test(`at port ${port}`, () => tryOut({ ...world, origin: `http://localhost:${port}` }))
  }
  await t.test('and doctor finds nothing wrong in it', async () => doctorFindsNothing(compose))
})

async function environmentOf(docker: Docker) {
  return {
    DOORWARD_IMAGE: image,
    BASE_IMAGE: await imageFor(docker, 'node'),
    KEYCLOAK_IMAGE: await imageFor(docker, 'keycloak'),
    REDIS_IMAGE: await imageFor(docker, 'redis'),
    NGINX_IMAGE: await imageFor(docker, 'nginx'),
    DOORWARD_PORT: String(await freePort()),
    KEYCLOAK_PORT: String(await freePort()),
    NGINX_PORT: String(await freePort()),
  }
}

/** From within the container that serves, as somebody would who looks for a fault. */
async function doctorFindsNothing(compose: (...args: readonly string[]) => Promise<Ended>): Promise<void> {
  const file = ['--config', '/etc/doorward/config.yaml']
  const { code, output } = await compose('exec', '-T', 'doorward', ...doorward, 'doctor', '--json', ...file)
  assert.equal(code, 0, output)
  const { findings } = JSON.parse(output) as { findings: { severity: string }[] }
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== 'unseen'),
    [],
  )
}

/** Of this test's: others may use the engine as well. */
async function nothingIsLeft(docker: Docker): Promise<void> {
  for (const command of [
    ['ps', '--all'],
    ['network', 'ls'],
    ['volume', 'ls'],
  ]) {
    assert.equal(await docker.run(...command, '--quiet', '--filter', `name=${project}`), '', command.join(' '))
  }
}
