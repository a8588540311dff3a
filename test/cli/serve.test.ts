import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, type TestContext, test } from 'node:test'
import { start } from './process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'doorward-serve-'))
const waiting: ServerResponse[] = []
const upstream = createServer((_request, response) => void waiting.push(response))

before(async () => {
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  writeFileSync(path.join(folder, 'doorward.yaml'), configFile())
})
after(() => {
  upstream.closeAllConnections()
  upstream.close()
  rmSync(folder, { recursive: true })
})

const configFile = (): string => `
version: 1
publicUrl: http://127.0.0.1:1
listen: 127.0.0.1:0
forwardAuth: 127.0.0.1:0
operations: 127.0.0.1:0
provider: { kind: oidc, issuer: "http://127.0.0.1:1", clientId: web, clientSecret: { env: SECRET } }
routes:
  - allow: public
    upstream: http://127.0.0.1:${(upstream.address() as AddressInfo).port}
limits: { drainDelay: 0s }
`
const timeout = 20_000
const env = { SECRET: 'canary-1a2b3c4d5e6f7081' }

/** Starts the gateway and sends it a request that the upstream holds until it is told to answer. */
async function withHeldRequest(t: TestContext) {
  const gateway = start(t, ['serve'], { cwd: folder, env })
  const [, address] = await gateway.says(/listening on (\S+) \(public traffic\)/)
  await gateway.says(/a restart ends every session/)
  const held = ask(`http://${address}/`)
  await once(upstream, 'request')
  return { gateway, held }
}

/** With the Host of publicUrl, which `fetch` would not send. */
function ask(url: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const request = get(url, { headers: { host: '127.0.0.1:1' } }, async (response) => {
    resolve(`${response.statusCode} ${await text(response)}`)
  })
  request.on('error', () => resolve('cut off'))
  return promise
}

test('it says where it listens and what a restart forgets, reloads on SIGHUP, and finishes on SIGTERM', {
  timeout,
}, async (t) => {
  const { gateway, held } = await withHeldRequest(t)
  for (const what of [
    'config file ./doorward.yaml',
    'forward-auth',
    'operations',
    'people reach it at http://127.0.0.1:1',
  ]) {
    assert.match(gateway.stderr(), new RegExp(what))
  }
  assert.match(gateway.stderr(), /warning: \.\/doorward\.yaml:5: forwardAuth: nobody may ask there/)

  gateway.child.kill('SIGHUP')
  await gateway.says(/SIGHUP: .*taken over/)
  writeFileSync(path.join(folder, 'doorward.yaml'), `${configFile()}nonsense: true\n`)
  gateway.child.kill('SIGHUP')
  await gateway.says(/SIGHUP: .*refused/)
  writeFileSync(path.join(folder, 'doorward.yaml'), configFile())

  gateway.child.kill('SIGTERM')
  await gateway.says(/SIGTERM: finishing/)
  waiting.pop()!.end('done')
  assert.equal(await held, '200 done')
  assert.equal(await gateway.ended(), 0)
  assert.match(gateway.stderr(), /doorward: stopped\n$/)
  for (const line of gateway.stdout().trimEnd().split('\n')) JSON.parse(line)
  assert.doesNotMatch(gateway.stdout() + gateway.stderr(), /canary/)
})

test('a second signal ends it at once', { timeout }, async (t) => {
  const { gateway, held } = await withHeldRequest(t)
  gateway.child.kill('SIGINT')
  await gateway.says(/SIGINT: finishing/)
  gateway.child.kill('SIGTERM')
  assert.equal(await gateway.ended(), 143)
  assert.equal(await held, 'cut off')
})

test('a file with problems, or an address that is taken, starts nothing and says what to do', {
  timeout,
}, async (t) => {
  const { port } = upstream.address() as AddressInfo
  writeFileSync(
    path.join(folder, 'taken.yaml'),
    configFile().replace('listen: 127.0.0.1:0', `listen: 127.0.0.1:${port}`),
  )
  writeFileSync(path.join(folder, 'broken.yaml'), `${configFile()}nonsense: true\npublicURL: https://x.example\n`)
  const taken = start(t, ['serve', '--config', 'taken.yaml'], { cwd: folder, env })
  const broken = start(t, ['serve', '--config', 'broken.yaml'], { cwd: folder, env })
  assert.equal(await taken.ended(), 1)
  assert.match(taken.stderr(), new RegExp(`error: listen: 127.0.0.1:${port} is taken\ndoorward: hint: .`))
  assert.equal(await broken.ended(), 1)
  assert.match(
    broken.stderr(),
    /error: broken\.yaml:12: nonsense: .*\n(?:.*\n)*.*error: broken\.yaml:13: publicURL: .*\n.*did you mean/,
  )
  assert.match(broken.stderr(), /2 problems, so nothing was done\n$/)
})
