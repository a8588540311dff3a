import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { openUpstreams } from '../../src/proxy/upstreams.ts'
import { openEchoUpstream } from '../support/upstream.ts'
import { openGateway, routeTo, upstreamConfig } from './gateway.ts'

const fileOf = (name: string) => path.join(import.meta.dirname, 'certificates', name)
const textOf = (name: string) => readFileSync(fileOf(name), 'utf8')

/** Says which name the client asked for by SNI, which Host it sent, and whose certificate it showed. */
async function openTlsUpstream() {
  const server = https.createServer(
    {
      cert: textOf('server.pem'),
      key: textOf('server.key.pem'),
      ca: textOf('ca.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const socket = request.socket as TLSSocket
      const certificate = socket.getPeerCertificate()
      response.end(
        [socket.servername || '-', request.headers.host, certificate?.subject?.CN ?? '-', socket.authorized].join(' '),
      )
    },
  )
  let connections = 0
  server.on('secureConnection', () => connections++)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  return { port, connections: () => connections, [Symbol.asyncDispose]: close }
}

async function answerOf(gateway: { url: string }, host: string): Promise<string> {
  const request = http.get(gateway.url, { headers: { Host: host } })
  const [response] = await once(request, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

describe('https upstreams', () => {
  const caFile = fileOf('ca.pem')

  test('are verified by their own name, whatever Host is kept, over one connection', async () => {
    await using upstream = await openTlsUpstream()
    await using gateway = await openGateway(new URL(`https://localhost:${upstream.port}`), { upstream: { caFile } })
    for (const host of ['a.example.com', 'b.example.com']) {
      assert.equal(await answerOf(gateway, host), `localhost ${host} - false`)
    }
    assert.equal(upstream.connections(), 1)
  })

  test('by address are verified by address, without SNI', async () => {
    await using upstream = await openTlsUpstream()
    await using gateway = await openGateway(new URL(`https://127.0.0.1:${upstream.port}`), { upstream: { caFile } })
    assert.equal(await answerOf(gateway, 'localhost'), '- localhost - false')
  })

  test('get the client certificate of the file', async () => {
    await using upstream = await openTlsUpstream()
    const clientCertificate = { certFile: fileOf('client.pem'), keyFile: fileOf('client.key.pem') }
    await using gateway = await openGateway(new URL(`https://localhost:${upstream.port}`), {
      upstream: { caFile, clientCertificate },
    })
    assert.equal(await answerOf(gateway, 'a.example'), 'localhost a.example doorward true')
  })

  test('of an unknown authority are 502, and nothing is sent', async () => {
    await using upstream = await openTlsUpstream()
    await using gateway = await openGateway(new URL(`https://localhost:${upstream.port}`))
    assert.equal(await answerOf(gateway, 'a.example'), 'upstream_unreachable')
    assert.match(gateway.failures[0]?.message ?? '', /CERT|SIGNATURE|ISSUER/)
    assert.equal(upstream.connections(), 0)
  })

  test('with a CA file that cannot be read do not open', () => {
    const config = upstreamConfig(new URL('https://localhost:1'), { caFile: '/nowhere/ca.pem' })
    assert.throws(() => openUpstreams([routeTo(config)]), /nowhere\/ca\.pem/)
  })
})

test('unix sockets carry requests with the Host of the url', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  const socketPath = path.join(folder, 'app.sock')
  const server = http.createServer(
    (request, response) => void response.end(`${request.url} over ${request.headers.host}`),
  )
  await once(server.listen(socketPath), 'listening')
  {
    await using gateway = await openGateway(new URL('http://app.internal'), { upstream: { socketPath } })
    assert.equal(await answerOf(gateway, 'kept.example'), '/ over kept.example')
  }
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  rmSync(folder, { recursive: true })
})

describe('pools', () => {
  const url = new URL('http://127.0.0.1:1')
  const pools = (...changes: Partial<UpstreamConfig>[]) => {
    const upstreams = openUpstreams(changes.map((change) => routeTo(upstreamConfig(url, change))))
    return changes.map((_, index) => upstreams.of(index)!.pool)
  }

  test('are shared by routes that differ in what is no part of a connection', () => {
    const [first, second] = pools({}, { addPrefix: '/x', headersTimeout: 5, maxBody: 1, host: 'rewrite' })
    assert.equal(first, second)
  })

  test('are never shared across TLS identities, sockets or addresses', () => {
    const caFile = fileOf('ca.pem')
    const clientCertificate = { certFile: fileOf('client.pem'), keyFile: fileOf('client.key.pem') }
    const all = pools(
      {},
      { caFile },
      { clientCertificate },
      { socketPath: '/run/x' },
      { url: new URL('http://127.0.0.1:2') },
    )
    assert.equal(new Set(all).size, 5)
  })

  test('a route without upstream has none', () => {
    assert.equal(openUpstreams([{ ...routeTo(upstreamConfig(url)), upstream: undefined }]).of(0), undefined)
  })

  test('no more connections are opened than the file says', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url, { upstream: { connections: 2 } })
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(gateway.url)))
    assert.ok(answers.every((answer) => answer.status === 200))
    assert.equal(upstream.connections(), 2)
  })
})
