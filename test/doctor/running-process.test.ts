/** A process that is not what its file says, planted on a real one. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { runningProcess } from '../../src/cli/doctor/running-process.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { clientSecret, sessionSecret, startGateway, type TestGateway } from '../support/gateway.ts'
import { patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('running process')
const environment = { CLIENT_SECRET: clientSecret, SESSION_SECRET: sessionSecret }

async function start(t: TestContext): Promise<TestGateway> {
  return startGateway(t, {
    environment,
    errorsExpected: true,
    store: 'cookie',
    config: ({ issuer }) => ({
      provider: { issuer, clientId: 'gateway', clientSecret: { env: 'CLIENT_SECRET' } },
      session: { store: 'cookie', secret: { env: 'SESSION_SECRET' } },
    }),
  })
}

function examine(gateway: TestGateway, env: Readonly<Record<string, string>> = environment) {
  return examineAt(loadConfig(gateway.file, env).config, gateway.server.addresses.operations!)
}

const examineAt = (config: Config, operations: URL) => runningProcess.examine(patientWith(config, { operations }))

test('the same file and secrets, and each of them changed behind its back', async (t) => {
  const gateway = await start(t)
  tally.healthy(await examine(gateway))
  const other = 'another-secret-text-0123456789-abcdef'
  const found = await examine(gateway, { ...environment, CLIENT_SECRET: other })
  tally.planted('process-other-secret', found)
  assert.equal(found[0]!.place, 'provider.clientSecret')
  const session = await examine(gateway, { SESSION_SECRET: other, CLIENT_SECRET: other })
  tally.planted('process-other-secret', session)
  assert.equal(session[0]!.place, 'session.secret')
  const text = await (await fetch(new URL('/status', gateway.server.addresses.operations))).text()
  assert.match(text, /"provider\.clientSecret":"[\da-f]{8}"/)
  assert.ok(!text.includes(clientSecret) && !text.includes(sessionSecret))
  gateway.write({ brand: { name: 'Renamed' } })
  tally.planted('process-other-config', await examine(gateway))
  assert.equal(await gateway.server.reload(), true)
  tally.healthy(await examine(gateway))
})

test('a change that was refused', async (t) => {
  const gateway = await start(t)
  gateway.write({ brand: { name: 'Renamed' }, routes: [{ allow: 'anybody' }] })
  assert.equal(await gateway.server.reload(), false)
  gateway.write({ brand: { name: 'Renamed' } })
  const found = await examine(gateway)
  tally.planted('process-reload-refused', found)
  assert.match(found[0]!.cause, /routes/)
})

test('nobody there, and somebody else', async (t) => {
  const gateway = await start(t)
  const { config } = loadConfig(gateway.file, environment)
  tally.planted('process-unseen', await examineAt(config, new URL('http://127.0.0.1:1')))
  tally.planted('process-unseen', await examineAt(config, new URL(gateway.application.url)))
  tally.planted('process-unseen', await runningProcess.examine(patientWith(config)))
})

test('another version', async (t) => {
  const gateway = await start(t)
  const answer = await fetch(new URL('/status', gateway.server.addresses.operations))
  const old = (await answer.text()).replace(/"version":"[^"]*"/, '"version":"0.0.1"')
  const server = http.createServer((_request, response) => void response.end(old))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { config } = loadConfig(gateway.file, environment)
  tally.planted('process-other-version', await examineAt(config, new URL(`http://127.0.0.1:${port}`)))
})
