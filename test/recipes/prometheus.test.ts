/** A real Prometheus behind Doorward, both as docs/recipes/prometheus.md sets them up. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { replaced } from '../gateways/documented.ts'
import { freePort } from '../support/free-port.ts'
import { signedIn, startGateway, type TestGateway, until } from '../support/gateway.ts'
import { requirePart } from '../support/real-part.ts'
import { recipeBlock, recipeKeys } from './documented.ts'

/** Doorward with the file of the page, before there is a Prometheus. */
function startDoorward(t: TestContext, prometheusPort: number): Promise<TestGateway> {
  const upstream = ['http://127.0.0.1:9090', `http://127.0.0.1:${prometheusPort}`] as const
  return startGateway(t, { config: (world) => recipeKeys('prometheus', world, upstream) })
}

/** What the provider's token endpoint is to a scraper: client credentials in, an access token out. */
async function startTokenEndpoint(t: TestContext, { idp }: TestGateway): Promise<string> {
  const server = http.createServer(async (_, response) => {
    const access_token = await idp.mintAccessToken('bob', {
      audience: 'prometheus',
      claims: { scope: 'metrics.read', groups: [] },
    })
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token, token_type: 'Bearer', expires_in: 300 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.closeAllConnections())
  t.after(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
}

/** The command line and the scrape of the page, for a Prometheus that scrapes itself through Doorward. */
async function startPrometheus(t: TestContext, program: string, port: number, gateway: TestGateway): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-prometheus-'))
  const file = path.join(folder, 'prometheus.yml')
  writeFileSync(path.join(folder, 'scraper'), 'the-secret-of-the-scraper')
  const scrape = replaced(recipeBlock('prometheus', 'yaml', '# prometheus.yml'), [
    ['scrape_interval: 15s', 'scrape_interval: 200ms, scrape_timeout: 200ms'],
    ['scheme: https', 'scheme: http'],
    ['prometheus.example.com', new URL(gateway.origin).host],
    ['/run/secrets/scraper', path.join(folder, 'scraper')],
    ['https://keycloak.example.com/realms/main/protocol/openid-connect/token', await startTokenEndpoint(t, gateway)],
  ])
  writeFileSync(file, scrape)
  const line = replaced(recipeBlock('prometheus', 'sh', '127.0.0.1:9090'), [
    ['prometheus --', '--'],
    ['/etc/prometheus/prometheus.yml', file],
    ['127.0.0.1:9090', `127.0.0.1:${port}`],
    ['https://prometheus.example.com', gateway.origin],
    ['\\\n', ''],
  ])
  const args = [...line.trim().split(/\s+/), `--storage.tsdb.path=${folder}/data`]
  const output = path.join(folder, 'output.log')
  const child = spawn('/bin/sh', ['-c', `exec "$0" "$@" >${output} 2>&1`, program, ...args], { stdio: 'ignore' })
  t.after(async () => {
    await stop(child)
    rmSync(folder, { recursive: true })
  })
  const isReady = () => fetch(`${gateway.origin}/-/ready`).then(({ status }) => status === 200)
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(readFileSync(output, 'utf8'))
      return isReady()
    },
    'Prometheus is ready',
    20_000,
  )
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('Prometheus, as its recipe says', async (t) => {
  const program = requirePart(t, 'prometheus')
  if (program === undefined) return
  const port = await freePort()
  const gateway = await startDoorward(t, port)
  await startPrometheus(t, program, port, gateway)
  const at = (address: string) => gateway.origin + address
  const ada = await signedIn(gateway, 'ada', '/api/v1/status/buildinfo')
  const bob = await signedIn(gateway, 'bob', '/api/v1/status/buildinfo')

  await t.test('a query by the page, as GET and as POST', async () => {
    for (const options of [
      {},
      { method: 'POST', body: 'query=vector(42)', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ]) {
      const { status, body } = await bob.fetch(at('/api/v1/query?query=vector(42)'), { from: at('/graph'), ...options })
      assert.equal(status, 200, body)
      assert.equal(JSON.parse(body).data.result[0].value[1], '42')
    }
  })

  await t.test('its front page leads to an address of its own', async () => {
    const { headers } = await bob.fetch(at('/'))
    assert.match(headers.get('location') ?? '', /^\/(?:classic\/)?(?:graph|query)$/)
  })

  await t.test('strangers see that it is ready, and nothing else', async () => {
    const anybody = gateway.browser()
    assert.equal((await anybody.fetch(at('/api/v1/query?query=up'))).status, 401)
    assert.equal((await anybody.fetch(at('/metrics'))).status, 401)
    assert.equal((await anybody.fetch(at('/-/ready'))).status, 200)
  })

  await t.test('admins alone may change', async () => {
    const change = { method: 'POST', from: at('/graph') }
    for (const address of ['/-/quit', '/-/reload', '/api/v1/admin/tsdb/clean_tombstones']) {
      const { status, body } = await bob.fetch(at(address), change)
      assert.deepEqual([status, JSON.parse(body).error], [403, 'requirement_unmet'], address)
    }
    // Prometheus itself says that its lifecycle API is off: it was reached.
    assert.match((await ada.fetch(at('/-/reload'), change)).body, /Lifecycle API is not enabled/)
  })

  await t.test('samples of others need a token with the scope', async () => {
    assert.equal((await ada.fetch(at('/api/v1/write'), { method: 'POST', from: at('/graph') })).status, 401)
    const weak = await gateway.idp.mintAccessToken('ada', { audience: 'prometheus' })
    const headers = { authorization: `Bearer ${weak}` }
    assert.equal((await fetch(at('/api/v1/write'), { method: 'POST', headers })).status, 403)
  })

  await t.test('it scrapes through Doorward with a token', async () => {
    const query = '/api/v1/query?query=up%7Bjob%3D%22doorward%22%7D'
    const up = async () => JSON.parse((await bob.fetch(at(query))).body).data.result[0]?.value[1] === '1'
    await until(up, 'the scrape is up', 10_000)
  })
})
