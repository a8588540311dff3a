/** The image as people run it: built from the Dockerfile, started with nothing it could do harm with. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { startIdp } from '../../src/dev/idp.ts'
import { startApplication } from '../support/application.ts'
import { createBrowser, signIn } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/gateway.ts'
import { buildImage, type Docker, requireDocker } from './docker.ts'

const image = `doorward-test:${process.pid}`
const locked = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--tmpfs', '/tmp']
const doorward = ['/usr/local/bin/node', '/app/bin/doorward.js']

test('the image', async (t) => {
  const docker = await requireDocker(t)
  if (docker === undefined) return
  await buildImage(docker, image)
  t.after(() => docker.attempt('rmi', '--force', image))

  await t.test('holds Node, its libraries and Doorward, and nothing to work with for anybody else', () =>
    contents(docker),
  )
  await t.test('says what it is, and runs as nobody in particular', () => description(docker))
  await t.test('signs people in, is healthy, and leaves when told to', (one) => journey(one, docker))
  await t.test('says what is missing where there is no file', async () => {
    const { code, output } = await docker.attempt('run', '--rm', ...locked, image)
    assert.equal(code, 2)
    assert.match(output, /there is no config file/)
  })
})

async function contents(docker: Docker): Promise<void> {
  const script = `
    const { lstatSync, readdirSync } = require('node:fs')
    const below = (top) => [top, ...(lstatSync('/' + top).isDirectory() ? readdirSync('/' + top, { recursive: true }) : []).map((file) => top + '/' + file)]
    const files = readdirSync('/').filter((top) => !['proc', 'sys', 'dev', '.dockerenv'].includes(top)).flatMap(below)
    const loose = files.filter((file) => { const { mode } = lstatSync('/' + file); return mode & 0o6000 || (mode & 0o121002) === 2 })
    console.log(JSON.stringify({ files, loose }))`
  const printed = await docker.run('run', '--rm', ...locked, '--entrypoint', doorward[0]!, image, '-e', script)
  const { files, loose } = JSON.parse(printed) as { files: string[]; loose: string[] }
  const outside = files.filter((file) => !/^(app|lib|lib64|etc|tmp)(\/|$)/.test(file))
  assert.deepEqual(outside.sort(), ['usr', 'usr/local', 'usr/local/bin', 'usr/local/bin/node'])
  assert.deepEqual(loose, [], 'nothing is setuid, and nothing but /tmp is for everybody to write')
  assert.deepEqual(
    files.filter((file) => /\/(sh|bash|busybox|npm|apt|curl|wget)$|\.(ts|map)$|^app\/(src|test)\b/.test(file)),
    [],
  )
  assert.ok(files.includes('app/dist/cli/main.js'))
  assert.ok(files.some((file) => /^app\/dist\/http\/ext-authz\/.*\.proto$/.test(file)))
  assert.ok(!files.includes('app/node_modules/oidc-provider'), 'the provider that lets anybody in stays at home')
}

async function description(docker: Docker): Promise<void> {
  const [{ Config: config, Size: size, RootFS }] = JSON.parse(await docker.run('image', 'inspect', image))
  assert.equal(config.User, '65532:65532')
  assert.deepEqual(config.Entrypoint, doorward)
  assert.deepEqual(Object.keys(config.ExposedPorts).sort(), ['4180/tcp', '4181/tcp', '4182/tcp', '9180/tcp'])
  assert.deepEqual(config.Healthcheck.Test, ['CMD', ...doorward, 'healthcheck'])
  assert.equal(config.Labels['org.opencontainers.image.version'], '1.2.3')
  assert.equal(config.Labels['org.opencontainers.image.licenses'], 'Apache-2.0')
  assert.equal(RootFS.Layers.length, 1)
  assert.ok(size < 170e6, `${size} bytes, unpacked`)
}

async function journey(t: TestContext, docker: Docker): Promise<void> {
  const world = await openWorld(t)
  const id = await docker.run(
    ...['run', '--detach', '--network', 'host', ...locked, '--health-interval', '1s'],
    ...['--volume', `${world.folder}:/etc/doorward:ro`, image],
  )
  t.after(() => docker.attempt('rm', '--force', id))
  const inspect = (format: string) => docker.run('inspect', '--format', format, id)
  const ready = async () => (await docker.attempt('exec', id, ...doorward, 'healthcheck', '--ready')).code === 0
  await until(ready, 'ready', 20_000).catch(async (error) => {
    throw new Error(`${error.message}: ${await docker.run('logs', id)}`)
  })

  const browser = createBrowser()
  t.after(() => browser.close())
  const page = await browser.navigate(`${world.origin}/wiki?page=7`)
  const home = await signIn(browser, page, 'ada')
  assert.equal(home.url, `${world.origin}/wiki?page=7`)
  assert.equal(world.application.last().headers['x-auth-user'], 'ada')

  await until(async () => (await inspect('{{.State.Health.Status}}')) === 'healthy', 'healthy', 20_000)
  assert.notEqual((await docker.attempt('exec', id, '/bin/sh', '-c', 'true')).code, 0, 'there is no shell')
  assert.equal(await docker.run('diff', id), '', 'nothing was written')

  const asked = performance.now()
  await docker.run('kill', '--signal', 'TERM', id)
  assert.equal(await docker.run('wait', id), '0')
  const took = performance.now() - asked
  assert.ok(took < 5000, `it took ${took} ms to leave`)
}

/** A provider and an application on loopback, which a container on the host's network reaches too, and a file. */
async function openWorld(t: TestContext) {
  const [port, operations] = [await freePort(), await freePort()]
  const origin = `http://127.0.0.1:${port}`
  const clientSecret = 'the-client-secret-of-the-container'
  const client = {
    clientId: 'gateway',
    clientSecret,
    redirectUris: [`${origin}/_doorward/callback`],
    postLogoutRedirectUris: [`${origin}/_doorward/signed-out`],
  }
  const [idp, application] = [await startIdp({ clients: [client] }), await startApplication()]
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-container-'))
  t.after(async () => {
    await Promise.all([idp.close(), application.close()])
    rmSync(folder, { recursive: true })
  })
  const config = {
    publicUrl: origin,
    listen: `127.0.0.1:${port}`,
    operations: `127.0.0.1:${operations}`,
    provider: { issuer: idp.issuer, clientId: client.clientId, clientSecret: { file: 'client-secret' } },
    routes: [{ allow: 'signedIn', upstream: application.url }],
  }
  // Read by another user than the one who wrote it.
  writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(config), { mode: 0o644 })
  writeFileSync(path.join(folder, 'client-secret'), clientSecret, { mode: 0o644 })
  chmodSync(folder, 0o755)
  return { origin, folder, application }
}
