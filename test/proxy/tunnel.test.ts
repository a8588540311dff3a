import assert from 'node:assert/strict'
import { once } from 'node:events'
import type http from 'node:http'
import net from 'node:net'
import { describe, test } from 'node:test'
import WebSocket, { WebSocketServer } from 'ws'
import { closeFrame, createFrameFollower } from '../../src/proxy/websocket-frames.ts'
import { openEchoUpstream, openRawUpstream } from '../support/upstream.ts'
import { exchangeBytes, openGateway, statusOf } from './gateway.ts'

const asking = (lines = '', protocol = 'websocket') =>
  `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${lines}\r\n`
const switching = (protocol = 'websocket') => `HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
const later = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds))

/** An upstream whose websockets echo, and the headers of each upgrade request. */
async function openWebSocketUpstream(onOpen?: (socket: WebSocket) => void) {
  const asked: http.IncomingMessage[] = []
  const upstream = await openEchoUpstream((_request, response) => void response.writeHead(404).end('not here'))
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'chat' })
  await once(server, 'listening')
  server.on('connection', (socket, request) => {
    asked.push(request)
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    onOpen?.(socket)
  })
  const { port } = server.address() as net.AddressInfo
  async function close(): Promise<void> {
    for (const client of server.clients) client.terminate()
    await Promise.all([upstream.close(), new Promise((done) => server.close(done))])
  }
  return { url: new URL(`http://127.0.0.1:${port}`), asked, [Symbol.asyncDispose]: close }
}

describe('websockets', () => {
  test('carry text, binary and large messages both ways, with headers as on any request', async () => {
    await using upstream = await openWebSocketUpstream()
    await using gateway = await openGateway(upstream.url, { identity: ['X-Auth-User', 'alice'] })
    const headers = { 'X-Auth-User': 'admin', X_Forwarded_User: 'admin', 'X-Kept': '1', Authorization: 'Bearer x' }
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws?q`, ['chat'], { headers })
    await once(socket, 'open')
    assert.equal(socket.protocol, 'chat')
    for (const message of ['hello', Buffer.alloc(300, 1), Buffer.alloc(1024 * 1024, 2)]) {
      socket.send(message)
      const [echo] = await once(socket, 'message')
      assert.ok(Buffer.from(echo).equals(Buffer.from(message)))
    }
    const [seen] = upstream.asked
    assert.deepEqual([seen?.url, seen?.headers['x-kept'], seen?.headers['x-auth-user']], ['/ws?q', '1', 'alice'])
    assert.deepEqual([seen?.headers.x_forwarded_user, seen?.headers.authorization], [undefined, undefined])
    socket.close(4000, 'bye')
    const [code] = await once(socket, 'close')
    assert.equal(code, 4000)
    await gateway.tunnels[0]?.closed
  })

  test('are closed with a code when the session ends', async () => {
    await using upstream = await openWebSocketUpstream()
    await using gateway = await openGateway(upstream.url)
    const socket = new WebSocket(gateway.url.replace('http', 'ws'))
    await once(socket, 'open')
    socket.send('hello')
    await once(socket, 'message')
    gateway.tunnels[0]?.close(4401)
    const [code] = await once(socket, 'close')
    assert.equal(code, 4401)
    await gateway.tunnels[0]?.closed
  })

  test('are closed after the frame that is on its way, never within it', async () => {
    const frame = Buffer.concat([Buffer.from([0x82, 126, 0x01, 0x00]), Buffer.alloc(256, 7)])
    const next = Buffer.concat([Buffer.from([0x82, 1]), Buffer.alloc(1, 9)])
    let upstreamSocket: net.Socket | undefined
    await using upstream = await openRawUpstream((socket) => {
      upstreamSocket = socket
      socket.write(switching())
      socket.write(frame.subarray(0, 100))
    })
    await using gateway = await openGateway(upstream.url)
    const client = net.connect(gateway.port, '127.0.0.1')
    client.write(asking())
    const chunks: Buffer[] = []
    client.on('data', (chunk) => chunks.push(chunk))
    while (Buffer.concat(chunks).indexOf('\r\n\r\n') === -1 || Buffer.concat(chunks).at(-1) !== 7) await later(5)
    const ended = once(client, 'end')
    gateway.tunnels[0]?.close(4401)
    await later(20)
    upstreamSocket?.write(Buffer.concat([frame.subarray(100), next]))
    await ended
    client.destroy()
    const bytes = Buffer.concat(chunks)
    const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
    assert.ok(body.equals(Buffer.concat([frame, closeFrame(4401)])))
  })

  test('whose frame never ends are cut', async () => {
    await using upstream = await openRawUpstream(
      (socket) => void socket.write(`${switching()}\x82\x7e\x01\x00abc`, 'latin1'),
    )
    await using gateway = await openGateway(upstream.url)
    const client = net.connect(gateway.port, '127.0.0.1').on('error', () => {})
    client.write(asking())
    await once(client, 'data')
    await later(10)
    gateway.tunnels[0]?.close(1001)
    client.resume()
    await once(client, 'close')
    await gateway.tunnels[0]?.closed
  })
})

describe('before the 101', () => {
  test('no byte of the client reaches the upstream; afterwards all of them do, in order', async () => {
    let received = ''
    let upstreamSocket: net.Socket | undefined
    await using upstream = await openRawUpstream((socket) => {
      upstreamSocket = socket
      socket.on('data', (chunk) => {
        received += chunk
      })
    })
    await using gateway = await openGateway(upstream.url)
    const client = net.connect(gateway.port, '127.0.0.1')
    client.write(`${asking()}first `)
    while (upstreamSocket === undefined) await later(5)
    client.write('second ')
    await later(40)
    assert.equal(received, '')
    upstreamSocket.write(switching())
    await once(client, 'data')
    client.write('third')
    while (!received.endsWith('third')) await later(5)
    assert.equal(received, 'first second third')
    client.destroy()
  })

  for (const answer of [
    switching('h2c'),
    switching('foo'),
    'HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n',
    'garbage\r\n\r\n',
    'HTTP/1.1 099 X\r\n\r\n',
  ]) {
    test(`${JSON.stringify(answer.slice(0, 60))} is 502, and what waits is thrown away`, async () => {
      let received = ''
      await using upstream = await openRawUpstream((socket) => {
        socket.on('data', (chunk) => {
          received += chunk
        })
        socket.write(answer)
      })
      await using gateway = await openGateway(upstream.url)
      const answered = await exchangeBytes(gateway.port, `${asking()}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`)
      assert.deepEqual([statusOf(answered), gateway.failures[0]?.code, received], [502, 'upstream_invalid', ''])
      assert.notEqual(answered.ended, 'open')
    })
  }

  for (const status of [200, 401, 404, 426]) {
    test(`a ${status} is passed on with its body, and what waits is thrown away`, async () => {
      let received = ''
      await using upstream = await openRawUpstream((socket) => {
        socket.on('data', (chunk) => {
          received += chunk
        })
        socket.write(
          `HTTP/1.1 ${status} X\r\nX-Kept: 1\r\nConnection: X-Secret\r\nX-Secret: 1\r\nSet-Cookie: __Host-Http-dw-1=evil\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n`,
        )
      })
      await using gateway = await openGateway(upstream.url)
      const answer = await exchangeBytes(gateway.port, `${asking()}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`)
      assert.deepEqual([statusOf(answer), answer.text.split('\r\n\r\n')[1], received], [status, 'no', ''])
      assert.match(answer.text, /x-kept: 1/)
      assert.doesNotMatch(answer.text, /x-secret|evil/i)
      assert.notEqual(answer.ended, 'open')
    })
  }

  test('a refusal that breaks off does not look whole', async () => {
    await using upstream = await openRawUpstream((socket) => {
      socket.write('HTTP/1.1 404 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n')
      setTimeout(() => socket.end(), 20)
    })
    await using gateway = await openGateway(upstream.url)
    assert.equal((await exchangeBytes(gateway.port, asking())).ended, 'reset')
  })

  test('a client that leaves cancels the upstream request', async () => {
    let cancelled = false
    await using upstream = await openRawUpstream((socket) => void socket.on('close', () => (cancelled = true)))
    await using gateway = await openGateway(upstream.url)
    const client = net.connect(gateway.port, '127.0.0.1')
    client.write(asking())
    while (upstream.heads.length === 0) await later(5)
    client.destroy()
    await later(50)
    assert.ok(cancelled)
    await gateway.tunnels[0]?.closed
  })
})

describe('what is never asked of an upstream', () => {
  const refusals: [string, string, number][] = [
    ['a protocol that the route does not list', asking('', 'foo'), 426],
    ['h2c, even where the route lists it', asking('HTTP2-Settings: x\r\n', 'h2c'), 426],
    ['a choice of protocols', asking('', 'websocket, h2c'), 426],
    ['an upgrade with a body', asking('Content-Length: 5\r\n'), 400],
    ['an upgrade with chunks', asking('Transfer-Encoding: chunked\r\n'), 400],
  ]
  for (const [name, bytes, status] of refusals) {
    test(name, async () => {
      await using upstream = await openRawUpstream((socket) => void socket.write(switching()))
      await using gateway = await openGateway(upstream.url, { upgrades: ['websocket', 'h2c'] })
      const answer = await exchangeBytes(gateway.port, `${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`)
      assert.deepEqual([statusOf(answer), upstream.connections()], [status, 0])
      assert.doesNotMatch(answer.text, /HTTP[\s\S]*HTTP\//)
      assert.notEqual(answer.ended, 'open')
    })
  }
})

describe('an open tunnel', () => {
  test('passes a half close on, and ends when both sides have', async () => {
    await using upstream = await openRawUpstream((socket) => {
      socket.removeAllListeners('end').on('end', () => void socket.end('goodbye'))
      socket.write(switching('spdy/3.1'))
    })
    await using gateway = await openGateway(upstream.url, { upgrades: ['spdy/3.1'] })
    const client = net.connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true })
    client.write(asking('', 'SPDY/3.1'))
    await once(client, 'data')
    client.end()
    const [rest] = await once(client, 'data')
    assert.equal(String(rest), 'goodbye')
    await once(client, 'close')
  })

  test('ends when the upstream dies, and when the client does', async () => {
    for (const dying of ['upstream', 'client'] as const) {
      let upstreamSocket: net.Socket | undefined
      let upstreamClosed = false
      await using upstream = await openRawUpstream((socket) => {
        upstreamSocket = socket.on('close', () => {
          upstreamClosed = true
        })
        socket.write(switching())
      })
      await using gateway = await openGateway(upstream.url)
      const client = net.connect(gateway.port, '127.0.0.1').on('error', () => {})
      client.write(asking())
      await once(client, 'data')
      if (dying === 'upstream') upstreamSocket?.resetAndDestroy()
      else client.resetAndDestroy()
      client.resume()
      await gateway.tunnels[0]?.closed
      await later(30)
      assert.ok(upstreamClosed)
    }
  })

  test('holds a fast upstream back for a slow client', async () => {
    let sent = 0
    await using upstream = await openRawUpstream((socket) => {
      const chunk = Buffer.alloc(64 * 1024)
      const more = (): void => {
        while (sent < 64 * 1024 * 1024) {
          sent += chunk.length
          if (!socket.write(chunk)) return void socket.once('drain', more)
        }
      }
      socket.write(switching())
      more()
    })
    await using gateway = await openGateway(upstream.url)
    const client = net.connect(gateway.port, '127.0.0.1').on('error', () => {})
    client.write(asking())
    await once(client, 'data')
    client.pause()
    for (let before = -1; before !== sent; ) {
      before = sent
      await later(100)
    }
    assert.ok(sent < 24 * 1024 * 1024, `${sent} bytes were taken from the upstream`)
    client.destroy()
  })
})

test('the frame follower finds every boundary, however the bytes are cut', () => {
  const frames = [
    Buffer.from([0x81, 0]),
    Buffer.concat([Buffer.from([0x82, 125]), Buffer.alloc(125)]),
    Buffer.concat([Buffer.from([0x02, 126, 1, 0]), Buffer.alloc(256)]),
    Buffer.concat([Buffer.from([0x80, 127, 0, 0, 0, 0, 0, 1, 0, 0]), Buffer.alloc(65_536)]),
    Buffer.concat([Buffer.from([0x81, 0x83, 1, 2, 3, 4]), Buffer.alloc(3)]),
    Buffer.from([0x89, 0]),
  ]
  const bytes = Buffer.concat(frames)
  for (const size of [1, 2, 3, 7, 130, 4_096, bytes.length]) {
    const follower = createFrameFollower()
    const found: number[] = []
    for (let start = 0; start < bytes.length; start += size) {
      const chunk = bytes.subarray(start, start + size)
      for (let end = follower.next(chunk, 0); end !== -1; end = follower.next(chunk, end)) found.push(start + end)
    }
    let end = 0
    assert.deepEqual(
      found,
      frames.map((frame) => (end += frame.length)),
      `cut every ${size} bytes`,
    )
    assert.ok(follower.atBoundary)
  }
})
