import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openEchoUpstream, openRawUpstream, type ReceivedRequest } from '../support/upstream.ts'
import { exchangeBytes, openGateway, statusOf } from './gateway.ts'

const until = async (condition: () => boolean, limit = 1_000): Promise<number> => {
  const start = performance.now()
  while (!condition()) {
    assert.ok(performance.now() - start < limit, 'the condition never came true')
    await new Promise(setImmediate)
  }
  return performance.now() - start
}

describe('requests', () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE', 'REPORT', 'MKCOL']) {
    test(`${method} arrives with path, query and body as they were sent`, async () => {
      await using upstream = await openEchoUpstream()
      await using gateway = await openGateway(upstream.url)
      const body = method === 'GET' ? undefined : 'a=1&b=%20'
      const request = http.request(`${gateway.url}/x%20y/?q=%2F&&=`, { method })
      if (body === undefined) request.end()
      else request.setHeader('Content-Length', body.length).end(body)
      const [response] = await once(request, 'response')
      response.resume()
      await once(response, 'end')
      const [seen] = upstream.received
      assert.deepEqual([seen?.method, seen?.url, seen?.body], [method, '/x%20y/?q=%2F&&=', body ?? ''])
      assert.equal(seen?.headers['content-length'], body === undefined ? undefined : String(body.length))
    })
  }

  test('1 MiB of any bytes arrives intact, with a length and without', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    const body = randomBytes(1024 * 1024)
    for (const chunked of [false, true]) {
      const sent = chunked ? ReadableStream.from([body]) : body
      const answer = await fetch(gateway.url, { method: 'POST', body: sent, duplex: 'half' } as RequestInit)
      const seen = (await answer.json()) as ReceivedRequest
      assert.ok(Buffer.from(seen.body, 'latin1').equals(body))
      assert.equal(seen.headers['transfer-encoding'], chunked ? 'chunked' : undefined)
    }
  })

  test('GET with a body keeps it', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    await exchangeBytes(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi')
    assert.equal(upstream.received[0]?.body, 'hi')
  })

  test('nothing in the headers that undici refuses becomes an error', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    for (const line of [
      'Keep-Alive: timeout=5',
      'TE: trailers, deflate',
      'Proxy-Connection: x',
      'Trailer: x',
      'Connection: , ,x',
    ]) {
      const answer = await exchangeBytes(
        gateway.port,
        `GET / HTTP/1.1\r\nHost: a\r\n${line}\r\nConnection: close\r\n\r\n`,
      )
      assert.equal(statusOf(answer), 200, line)
    }
  })

  test('connections to the upstream are kept and reused', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    for (let i = 0; i < 5; i++) await (await fetch(gateway.url)).text()
    assert.equal(upstream.connections(), 1)
  })

  test('a declared body above the limit is 413 and never reaches the upstream', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url, { upstream: { maxBody: 10 } })
    const answer = await fetch(gateway.url, { method: 'POST', body: 'x'.repeat(11) })
    assert.deepEqual([answer.status, await answer.text()], [413, 'body_too_large'])
    assert.equal(upstream.connections(), 0)
    assert.equal((await fetch(gateway.url, { method: 'POST', body: 'x'.repeat(10) })).status, 200)
  })

  test('a counted body above the limit is 413, and the upstream never sees the end of it', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url, { upstream: { maxBody: 10 } })
    const chunk = 'b\r\n01234567890\r\n'
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await exchangeBytes(gateway.port, `${head}${chunk}0\r\n\r\n`)
    assert.equal(statusOf(answer), 413)
    assert.equal(upstream.received.length, 0)
  })
})

describe('Expect: 100-continue', () => {
  const head = (length: number) =>
    `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`

  test('is answered here once the request may be sent', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    const socket = net.connect(gateway.port, '127.0.0.1')
    socket.write(head(2))
    const [first] = await once(socket, 'data')
    assert.equal(String(first), 'HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('hi')
    const [second] = await once(socket, 'data')
    assert.match(String(second), /^HTTP\/1\.1 200 /)
    assert.deepEqual([upstream.received[0]?.body, upstream.received[0]?.headers.expect], ['hi', undefined])
    socket.destroy()
  })

  test('is refused with 413, without 100, and the connection closes', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url, { upstream: { maxBody: 1 } })
    const answer = await exchangeBytes(gateway.port, head(2))
    assert.deepEqual([statusOf(answer), answer.ended], [413, 'end'])
  })

  test('other expectations are 417', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    const answer = await exchangeBytes(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: 42\r\n\r\n')
    assert.equal(statusOf(answer), 417)
    assert.equal(upstream.connections(), 0)
  })
})

describe('answers', () => {
  const answering = async (listener: http.RequestListener) => {
    const upstream = await openEchoUpstream(listener)
    const gateway = await openGateway(upstream.url)
    return {
      upstream,
      gateway,
      async [Symbol.asyncDispose]() {
        await gateway[Symbol.asyncDispose]()
        await upstream.close()
      },
    }
  }

  test('HEAD keeps the length and has no body; 204 and 304 have neither', async () => {
    await using world = await answering((request, response) => {
      const status = Number(request.url?.slice(1))
      response
        .writeHead(status, status === 200 ? { 'Content-Length': 5 } : { ETag: '"x"' })
        .end(request.method === 'HEAD' ? '' : undefined)
    })
    const head = await exchangeBytes(world.gateway.port, 'HEAD /200 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(head.text, /content-length: 5\r\n[\s\S]*\r\n\r\n$/)
    for (const status of [204, 304]) {
      const answer = await exchangeBytes(
        world.gateway.port,
        `GET /${status} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      )
      assert.equal(statusOf(answer), status)
      assert.doesNotMatch(answer.text, /content-length|transfer-encoding/i)
      assert.match(answer.text, /etag: "x"/)
    }
  })

  test('ranges and compressed bodies pass untouched', async () => {
    const bomb = gzipSync(Buffer.alloc(1024 * 1024))
    await using world = await answering((request, response) => {
      assert.equal(request.headers.range, 'bytes=0-9')
      response
        .writeHead(206, { 'Content-Encoding': 'gzip', 'Content-Range': 'bytes 0-9/20', 'Content-Length': bomb.length })
        .end(bomb)
    })
    const request = http.get(world.gateway.url, { headers: { Range: 'bytes=0-9' } })
    const [response] = await once(request, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    assert.ok(Buffer.concat(chunks).equals(bomb))
    assert.deepEqual([response.statusCode, response.headers['content-range']], [206, 'bytes 0-9/20'])
  })

  test('bytes above ASCII in a header pass as they are, with a length and without', async () => {
    await using upstream = await openRawUpstream((socket, head) => {
      const framing = head.includes('/length') ? 'Content-Length: 2\r\n\r\nhi' : 'Connection: close\r\n\r\n'
      socket.write(`HTTP/1.1 200 OK\r\nX-Name: Zo\xc3\xab\r\n${framing}`, 'latin1')
      setTimeout(() => socket.end(), 20)
    })
    await using gateway = await openGateway(upstream.url)
    for (const path of ['/length', '/stream']) {
      const answer = await exchangeBytes(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      assert.match(answer.text, /x-name: Zo\xc3\xab\r\n/i)
    }
  })

  test('103 is dropped and the answer follows', async () => {
    await using world = await answering((_request, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' })
      response.end('late')
    })
    const answer = await exchangeBytes(world.gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.deepEqual([statusOf(answer), answer.text.includes('103')], [200, false])
    assert.match(answer.text, /late/)
  })

  test('a head whose body is still being made is sent on at once', async () => {
    await using upstream = await openRawUpstream(
      (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
    )
    await using gateway = await openGateway(upstream.url)
    const [response] = await once(http.get(gateway.url), 'response')
    assert.equal(response.headers['content-length'], '9')
    response.on('error', () => {}).destroy()
  })

  test('an event stream is sent on at once, and is not ended by the body timeout', async () => {
    let stream: http.ServerResponse | undefined
    await using upstream = await openEchoUpstream((_request, response) => {
      stream = response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.flushHeaders()
    })
    await using gateway = await openGateway(upstream.url, { upstream: { bodyTimeout: 40 } })
    const answer = await fetch(gateway.url)
    const reader = answer.body!.getReader()
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      await new Promise((done) => setTimeout(done, 60))
      stream?.write(event)
      assert.equal(Buffer.from((await reader.read()).value!).toString(), event)
    }
    await reader.cancel()
  })

  test('an early answer reaches a client that is still sending, and the connection stays in step', async () => {
    await using world = await answering((request, response) => {
      response.writeHead(request.method === 'POST' ? 403 : 200, { 'Content-Length': 2 }).end('no')
    })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const post = http.request(world.gateway.url, { method: 'POST', agent, headers: { 'Content-Length': 200_000 } })
    post.write(Buffer.alloc(100_000))
    const [early] = await once(post, 'response')
    early.resume()
    await once(early, 'end')
    assert.equal(early.statusCode, 403)
    post.end(Buffer.alloc(100_000, 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'))
    const [next] = await once(http.get(world.gateway.url, { agent }), 'response')
    assert.equal(next.statusCode, 200)
    assert.ok(world.upstream.received.every((request) => request.url === '/'))
    agent.destroy()
  })

  test('a client that goes on sending after an early answer is not read for ever', async () => {
    await using world = await answering((request, response) => {
      request.pause()
      response.writeHead(403, { 'Content-Length': 2 }).end('no')
    })
    const client = net.connect(world.gateway.port, '127.0.0.1').on('error', () => {})
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nab')
    await once(client, 'data')
    client.resume()
    const chunk = Buffer.alloc(64 * 1024)
    let taken = 0
    for (; !client.destroyed && taken < 24 * 1024 * 1024; taken += chunk.length) {
      if (client.write(chunk)) continue
      await new Promise<void>((done) => void client.once('drain', done).once('close', () => done()))
    }
    assert.ok(client.destroyed, 'the gateway went on reading')
  })

  test('our own cookies are added with no-store', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url, { plan: { setCookies: ['__Host-http-dw-1=new; Path=/'] } })
    const answer = await fetch(gateway.url)
    assert.deepEqual(
      [answer.headers.getSetCookie(), answer.headers.get('cache-control')],
      [['__Host-http-dw-1=new; Path=/'], 'no-store'],
    )
  })
})

describe('clients that go away or do not read', () => {
  test('a client that leaves before the answer cancels the upstream request at once', async () => {
    let cancelled = false
    await using upstream = await openEchoUpstream(
      (request) => void request.socket.on('close', () => (cancelled = true)),
    )
    await using gateway = await openGateway(upstream.url)
    const request = http.get(gateway.url).on('error', () => {})
    await until(() => upstream.connections() === 1)
    await new Promise((done) => setTimeout(done, 20))
    request.destroy()
    assert.ok((await until(() => cancelled)) < 100)
    assert.equal(gateway.failures.length, 0)
  })

  test('a client that leaves in the middle of its body or of the answer does, too', async () => {
    for (const method of ['POST', 'GET']) {
      let cancelled = false
      await using upstream = await openEchoUpstream((request, response) => {
        request.socket.on('close', () => (cancelled = true))
        if (method === 'GET') response.write('some')
      })
      await using gateway = await openGateway(upstream.url)
      const request = http.request(gateway.url, { method }).on('error', () => {})
      if (method === 'POST') request.write('some')
      else await once(request.end(), 'response')
      await until(() => upstream.connections() === 1)
      await new Promise((done) => setTimeout(done, 20))
      request.destroy()
      assert.ok((await until(() => cancelled)) < 100, method)
    }
  })

  test('a client that leaves while its request waits for a connection does no harm', async () => {
    await using upstream = await openEchoUpstream(() => {})
    await using gateway = await openGateway(upstream.url, { upstream: { connections: 1 } })
    const first = http.get(gateway.url).on('error', () => {})
    await until(() => upstream.received.length === 1)
    const waiting = http.request(gateway.url, { method: 'POST' }).on('error', () => {})
    waiting.write('some')
    await new Promise((done) => setTimeout(done, 20))
    waiting.destroy()
    await new Promise((done) => setTimeout(done, 20))
    first.destroy()
    await new Promise((done) => setTimeout(done, 20))
    assert.deepEqual([upstream.received.length, gateway.failures.length], [1, 0])
  })

  test('a slow reader holds the upstream back: memory stays flat', async () => {
    const total = 64 * 1024 * 1024
    let sent = 0
    await using upstream = await openEchoUpstream((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024)
      const more = (): void => {
        while (sent < total) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', more)
        }
        response.end()
      }
      response.writeHead(200, { 'Content-Length': total })
      more()
    })
    await using gateway = await openGateway(upstream.url)
    const request = http.get(gateway.url)
    const [response] = await once(request, 'response')
    response.pause()
    for (let before = -1; before !== sent; ) {
      before = sent
      await new Promise((done) => setTimeout(done, 100))
    }
    assert.ok(sent < 24 * 1024 * 1024, `${sent} bytes were taken from the upstream`)
    let read = 0
    for await (const chunk of response) read += chunk.length
    assert.equal(read, total)
  })

  test('a slow upstream holds the client back', async () => {
    await using upstream = await openEchoUpstream((request) => void request.pause())
    await using gateway = await openGateway(upstream.url)
    const request = http.request(gateway.url, { method: 'POST' }).on('error', () => {})
    const chunk = Buffer.alloc(64 * 1024)
    for (let taken = 0; ; taken += chunk.length) {
      assert.ok(taken < 24 * 1024 * 1024, 'the gateway went on reading')
      if (request.write(chunk)) continue
      const drained = await Promise.race([once(request, 'drain'), new Promise((done) => setTimeout(done, 100))])
      if (drained === undefined) break
    }
    request.destroy()
  })

  test('a client that stops reading is cut off after the body timeout', async () => {
    await using upstream = await openEchoUpstream((_request, response) => {
      response.on('error', () => {})
      response.write(Buffer.alloc(64 * 1024 * 1024))
    })
    await using gateway = await openGateway(upstream.url, { upstream: { bodyTimeout: 50 } })
    const [response] = await once(http.get(gateway.url), 'response')
    response.pause().on('error', () => {})
    const socket = response.socket
    await new Promise((done) => setTimeout(done, 200))
    response.resume()
    await once(socket, 'close')
    assert.equal(response.complete, false)
  })

  test('a client that stops sending is 408', async () => {
    await using upstream = await openEchoUpstream((request) => void request.resume())
    await using gateway = await openGateway(upstream.url, { upstream: { bodyTimeout: 50 } })
    const answer = await exchangeBytes(gateway.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')
    assert.equal(statusOf(answer), 408)
  })
})
