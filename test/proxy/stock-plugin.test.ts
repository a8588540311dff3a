/**
 * Why forwarding is our own: each case runs against @fastify/http-proxy with its defaults and against `forward`,
 * and says what each does. docs/decisions/forwarding.md tells the story. When the plugin gets better, a case here
 * fails and its line can go.
 */
import assert from 'node:assert/strict'
import type http from 'node:http'
import net from 'node:net'
import { describe, test } from 'node:test'
import httpProxy from '@fastify/http-proxy'
import fastify from 'fastify'
import { openEchoUpstream, openRawUpstream } from '../support/upstream.ts'
import { exchangeBytes, openGateway, statusOf } from './gateway.ts'

interface Proxy extends AsyncDisposable {
  readonly port: number
}

async function openStockPlugin(url: URL): Promise<Proxy> {
  const app = fastify()
  await app.register(httpProxy, { upstream: url.origin })
  await app.listen({ port: 0, host: '127.0.0.1' })
  async function close(): Promise<void> {
    app.server.closeAllConnections()
    await app.close()
  }
  return { port: (app.server.address() as net.AddressInfo).port, [Symbol.asyncDispose]: close }
}

const proxies = { stock: openStockPlugin, ours: (url: URL): Promise<Proxy> => openGateway(url) }
const names = ['stock', 'ours'] as const

const ask = (lines = '') => `GET / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`

/** Runs one observation on both proxies and compares each with what is said of it. */
function compare(
  name: string,
  expected: Record<keyof typeof proxies, unknown>,
  observe: (proxy: Proxy, upstream: { received: readonly { rawHeaders: readonly string[] }[] }) => Promise<unknown>,
  answer?: http.RequestListener,
): void {
  for (const which of names) {
    test(`${name}: ${which}`, async () => {
      await using upstream = await openEchoUpstream(answer)
      await using proxy = await proxies[which](upstream.url)
      assert.deepEqual(await observe(proxy, upstream), expected[which])
    })
  }
}

describe('L1: a busy upstream', () => {
  compare(
    'is asked this often for one request',
    { stock: 11, ours: 1 },
    async (proxy, upstream) => {
      await exchangeBytes(proxy.port, ask(), 400)
      return upstream.received.length
    },
    (_request, response) => void response.writeHead(503, { 'Retry-After': '1' }).end(),
  )
})

describe('L2: hop-by-hop headers of the upstream', () => {
  compare(
    'reach the client',
    { stock: true, ours: false },
    async (proxy) => /x-secret: 1|proxy-authenticate/i.test((await exchangeBytes(proxy.port, ask())).text),
    (_request, response) =>
      void response.writeHead(200, { Connection: 'X-Secret', 'X-Secret': '1', 'Proxy-Authenticate': 'Basic' }).end(),
  )
})

describe('L3: a Set-Cookie with the name of the session cookie', () => {
  compare(
    'reaches the browser',
    { stock: true, ours: false },
    async (proxy) => /__Host-Http-dw-1/.test((await exchangeBytes(proxy.port, ask())).text),
    (_request, response) =>
      void response.writeHead(200, { 'Set-Cookie': '__Host-Http-dw-1=planted; Path=/; Secure' }).end(),
  )
})

describe('L4: identity under another spelling, and credentials for a proxy', () => {
  const lines = [
    'X_Forwarded_User: admin',
    'X.Forwarded.User: admin',
    'Proxy-Authorization: Basic eDp5',
    'Proxy-Connection: x',
  ]
  for (const line of lines) {
    compare(`${line} reaches the upstream`, { stock: true, ours: false }, async (proxy, upstream) => {
      await exchangeBytes(proxy.port, ask(`${line}\r\n`))
      const sent = upstream.received[0]!.rawHeaders.map((text) => text.toLowerCase())
      return sent.includes(line.split(':')[0]!.toLowerCase())
    })
  }
})

describe('L5: request headers that undici refuses', () => {
  for (const line of ['Keep-Alive: 1', 'Upgrade: foo']) {
    compare(`${line} is answered with`, { stock: 500, ours: 200 }, async (proxy) =>
      statusOf(await exchangeBytes(proxy.port, ask(`${line}\r\n`))),
    )
  }
})

describe('L6: a client that goes away before the answer', () => {
  for (const which of names) {
    test(`cancels the upstream request: ${which}`, async () => {
      let cancelled = false
      await using upstream = await openRawUpstream((socket) => void socket.on('close', () => (cancelled = true)))
      await using proxy = await proxies[which](upstream.url)
      const client = net.connect(proxy.port, '127.0.0.1')
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      while (upstream.heads.length === 0) await new Promise(setImmediate)
      client.destroy()
      await new Promise((done) => setTimeout(done, 100))
      assert.equal(cancelled, which === 'ours')
    })
  }
})

describe('L7: a broken answer', () => {
  const answers: Record<string, string> = {
    garbage: '\x16\x03\x01\x02\0\x01\r\n\r\n',
    'a length and chunks':
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
    'an oversized header': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(80_000)}\r\n\r\n`,
  }
  for (const [name, writes] of Object.entries(answers)) {
    for (const which of names) {
      test(`${name} becomes ${which === 'stock' ? '500 with internal text' : '502 without'}: ${which}`, async () => {
        await using upstream = await openRawUpstream((socket) => void socket.write(writes, 'latin1'))
        await using proxy = await proxies[which](upstream.url)
        const answer = await exchangeBytes(proxy.port, ask())
        assert.equal(statusOf(answer), which === 'stock' ? 500 : 502)
        assert.equal(/"message":"[^"]+"/.test(answer.text), which === 'stock')
      })
    }
  }
})

describe('L8: an answer that breaks off', () => {
  for (const which of names) {
    test(`does not look whole: ${which}`, async () => {
      await using upstream = await openRawUpstream((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n')
        setTimeout(() => socket.end(), 20)
      })
      await using proxy = await proxies[which](upstream.url)
      const answer = await exchangeBytes(proxy.port, ask())
      assert.doesNotMatch(answer.text, /\r\n0\r\n\r\n$/)
      assert.notEqual(answer.ended, 'open')
    })
  }
})
