import assert from 'node:assert/strict'
import type net from 'node:net'
import { describe, test } from 'node:test'
import { openEchoUpstream, openRawUpstream } from '../support/upstream.ts'
import { exchangeBytes, openGateway, statusOf } from './gateway.ts'

const ask = (path = '/', version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`
const ok = 'HTTP/1.1 200 OK\r\n'
const overlong = `X: ${'x'.repeat(70_000)}\r\n`

/** What an upstream writes, and the error it has to become while nothing has been sent to the client. */
const refused: Record<string, { readonly writes: string | null; readonly code: string }> = {
  'two different lengths': {
    writes: `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!`,
    code: 'upstream_invalid',
  },
  'the same length twice': {
    writes: `${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`,
    code: 'upstream_invalid',
  },
  'a length and chunks': {
    writes: `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    code: 'upstream_invalid',
  },
  'a coding nobody offered': {
    writes: `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    code: 'upstream_invalid',
  },
  'a control character in a value': { writes: `${ok}X: a\x01b\r\nContent-Length: 0\r\n\r\n`, code: 'upstream_invalid' },
  'NUL in a value': { writes: `${ok}X: a\0b\r\nContent-Length: 0\r\n\r\n`, code: 'upstream_invalid' },
  'a space in a name': { writes: `${ok}X Y: a\r\nContent-Length: 0\r\n\r\n`, code: 'upstream_invalid' },
  'headers without end': { writes: ok + overlong, code: 'upstream_invalid' },
  'status 099': { writes: 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n', code: 'upstream_invalid' },
  'status 999': { writes: 'HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n', code: 'upstream_invalid' },
  'status 600': { writes: 'HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n', code: 'upstream_invalid' },
  '101 nobody asked for': {
    writes: 'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    code: 'upstream_invalid',
  },
  'a bare 101': { writes: 'HTTP/1.1 101 X\r\n\r\n', code: 'upstream_invalid' },
  '100 nobody asked for': {
    writes: `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 0\r\n\r\n`,
    code: 'upstream_invalid',
  },
  'a flood of 1xx': { writes: 'HTTP/1.1 103 X\r\n\r\n'.repeat(100), code: 'upstream_invalid' },
  'TLS bytes': { writes: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', code: 'upstream_invalid' },
  'HTML without a status line': { writes: '<html><body>hello</body></html>\r\n\r\n', code: 'upstream_invalid' },
  'HTTP/2 over this connection': { writes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', code: 'upstream_invalid' },
  'nothing, then the end': { writes: '', code: 'upstream_unreachable' },
  'half a status line, then the end': { writes: 'HTTP/1.1 20', code: 'upstream_unreachable' },
  silence: { writes: null, code: 'upstream_timeout' },
}

describe('an upstream that answers with', () => {
  for (const [name, { writes, code }] of Object.entries(refused)) {
    test(`${name} is ${code}, asked once`, async () => {
      await using upstream = await openRawUpstream((socket) => {
        if (writes === null) return
        socket.write(writes, 'latin1')
        if (code === 'upstream_unreachable') socket.end()
      })
      await using gateway = await openGateway(upstream.url, { upstream: { headersTimeout: 80 } })
      // undici's timers come up to a second late.
      const answer = await exchangeBytes(gateway.port, ask(), writes === null ? 500 : 150)
      assert.equal(statusOf(answer), code === 'upstream_timeout' ? 504 : 502)
      // The page says the code; what the parser complained about stays in the error's detail, for the log.
      assert.match(answer.text, new RegExp(`\r\n${code}\r\n|\r\n\r\n${code}$`))
      assert.doesNotMatch(answer.text, /undici|HPE|assert|node_modules/)
      assert.deepEqual([upstream.heads.length, gateway.failures.length], [1, 1])
    })
  }

  test('a reset is upstream_unreachable, asked once', async () => {
    await using upstream = await openRawUpstream((socket) => void socket.resetAndDestroy())
    await using gateway = await openGateway(upstream.url)
    assert.equal(statusOf(await exchangeBytes(gateway.port, ask())), 502)
    assert.deepEqual([upstream.heads.length, gateway.failures[0]?.code], [1, 'upstream_unreachable'])
  })

  test('nobody listening is upstream_unreachable', async () => {
    const upstream = await openEchoUpstream()
    await upstream.close()
    await using gateway = await openGateway(upstream.url)
    assert.equal(statusOf(await exchangeBytes(gateway.port, ask())), 502)
    assert.equal(gateway.failures[0]?.code, 'upstream_unreachable')
  })
})

/** Answers that break off after their head went out: they must not look whole. */
const truncated: Record<string, string> = {
  'short of its length': `${ok}Content-Length: 10\r\n\r\nhell`,
  'without the last chunk': `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n`,
  'within a chunk': `${ok}Transfer-Encoding: chunked\r\n\r\n9\r\nhell`,
  'with a chunk size that is none': `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\nxyz\r\n`,
}

describe('an answer that breaks off', () => {
  for (const [name, writes] of Object.entries(truncated)) {
    for (const version of ['1.1', '1.0']) {
      test(`${name} never looks whole to HTTP/${version}`, async () => {
        await using upstream = await openRawUpstream((socket) => {
          socket.write(writes)
          setTimeout(() => socket.end(), 20)
        })
        await using gateway = await openGateway(upstream.url)
        const answer = await exchangeBytes(gateway.port, ask('/', version))
        assert.doesNotMatch(answer.text, /\r\n0\r\n\r\n$/)
        const hasLength = /content-length: 10/i.test(answer.text)
        const hasChunks = /transfer-encoding: chunked/i.test(answer.text)
        assert.ok(hasLength || hasChunks || answer.ended === 'reset', `looked whole: ${answer.text}`)
        assert.notEqual(answer.ended, 'open')
      })
    }
  }

  test('by a reset does not look whole either', async () => {
    await using upstream = await openRawUpstream((socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n`)
      setTimeout(() => socket.resetAndDestroy(), 20)
    })
    await using gateway = await openGateway(upstream.url)
    const answer = await exchangeBytes(gateway.port, ask())
    assert.doesNotMatch(answer.text, /\r\n0\r\n\r\n$/)
    assert.notEqual(answer.ended, 'open')
  })

  test('by falling silent is cut off after the body timeout', async () => {
    await using upstream = await openRawUpstream((socket) => void socket.write(`${ok}Content-Length: 10\r\n\r\nhell`))
    await using gateway = await openGateway(upstream.url, { upstream: { bodyTimeout: 40 } })
    const answer = await exchangeBytes(gateway.port, ask())
    assert.deepEqual([statusOf(answer), answer.ended === 'open'], [200, false])
  })
})

describe('what an upstream is asked, and how often', () => {
  test('503 with Retry-After passes through once', async () => {
    await using upstream = await openEchoUpstream(
      (_request, response) => void response.writeHead(503, { 'Retry-After': '1' }).end('busy'),
    )
    await using gateway = await openGateway(upstream.url)
    const answer = await fetch(gateway.url)
    assert.deepEqual([answer.status, answer.headers.get('retry-after'), await answer.text()], [503, '1', 'busy'])
    assert.equal(upstream.received.length, 1)
  })

  /** Answers the first request on each connection, and drops the connection at the second. */
  const dropsSecond = () => {
    const seen = new WeakSet<net.Socket>()
    return openRawUpstream((socket) => {
      if (seen.has(socket)) socket.resetAndDestroy()
      else socket.write(`${ok}Content-Length: 2\r\n\r\nok`)
      seen.add(socket)
    })
  }

  test('a kept connection that dies under a safe request is replaced, once', async () => {
    await using upstream = await dropsSecond()
    await using gateway = await openGateway(upstream.url)
    for (let i = 0; i < 2; i++) assert.equal(await (await fetch(gateway.url)).text(), 'ok')
    assert.deepEqual([upstream.heads.length, upstream.connections()], [3, 2])
  })

  test('a kept connection that dies within the answer is not asked again', async () => {
    const seen = new WeakSet<net.Socket>()
    await using upstream = await openRawUpstream((socket) => {
      if (seen.has(socket)) socket.write('HTTP/1.1 20', () => setTimeout(() => socket.resetAndDestroy(), 20))
      else socket.write(`${ok}Content-Length: 2\r\n\r\nok`)
      seen.add(socket)
    })
    await using gateway = await openGateway(upstream.url)
    await (await fetch(gateway.url)).text()
    assert.deepEqual([(await fetch(gateway.url)).status, upstream.heads.length], [502, 2])
  })

  for (const method of ['POST', 'PUT', 'DELETE']) {
    test(`${method} is never sent twice`, async () => {
      await using upstream = await dropsSecond()
      await using gateway = await openGateway(upstream.url)
      await (await fetch(gateway.url)).text()
      const answer = await fetch(gateway.url, { method })
      assert.deepEqual([answer.status, upstream.heads.length], [502, 2])
    })
  }

  test('an answer that nobody asked for does not go to the next person', async () => {
    await using upstream = await openRawUpstream((socket, head) => {
      const name = head.split(' ')[1]
      const body = `for ${name}`
      socket.write(`${ok}Content-Length: ${body.length}\r\n\r\n${body}`)
      socket.write(`${ok}Content-Length: 5\r\n\r\nextra`)
    })
    await using gateway = await openGateway(upstream.url)
    for (const name of ['/alice', '/bob', '/carol']) {
      assert.equal(await (await fetch(gateway.url + name)).text(), `for ${name}`)
    }
  })
})
