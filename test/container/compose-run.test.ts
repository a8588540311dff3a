/** `docker compose up`, for real: Keycloak, Redis, Doorward, the application, and nginx in front. Minutes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { passwordsOf, tryOut } from './compose-journey.ts'
import { buildImage, imageFor, requireDocker } from './docker.ts'

test('compose.yaml comes up with one command, and people sign in', { timeout: 900_000 }, async (t) => {
  const docker = await requireDocker(t)
  if (docker === undefined) return
  const image = await buildImage(docker, `doorward-compose-test:${process.pid}`)
  t.after(() => docker.attempt('rmi', '--force', image))
  const environment = {
    DOORWARD_IMAGE: image,
    BASE_IMAGE: await imageFor(docker, 'node'),
    KEYCLOAK_IMAGE: await imageFor(docker, 'keycloak'),
    REDIS_IMAGE: await imageFor(docker, 'redis'),
    NGINX_IMAGE: await imageFor(docker, 'nginx'),
    DOORWARD_PORT: String(await freePort()),
    KEYCLOAK_PORT: String(await freePort()),
    NGINX_PORT: String(await freePort()),
  }
  const compose = (...args: readonly string[]) =>
    docker.compose(environment, '-p', `doorward-test-${process.pid}`, '--profile', 'nginx', ...args)
  t.after(() => compose('down', '--volumes'))

  const up = await compose('up', '--detach')
  assert.equal(up.code, 0, up.output.slice(-3000))
  const { output } = await compose('logs', '--no-color', 'first-start')
  const world = { keycloak: `http://localhost:${environment.KEYCLOAK_PORT}`, passwords: passwordsOf(output) }
  for (const port of [environment.DOORWARD_PORT, environment.NGINX_PORT]) {
    await t.test(`at port ${port}`, () => tryOut({ ...world, origin: `http://localhost:${port}` }))
  }
})
