import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openEchoUpstream } from '../support/upstream.ts'
import { exchangeBytes, openGateway } from './gateway.ts'

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const post = (lines: string, body: string) => `POST /first HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${body}`
const chunked = (body: string) => post('Transfer-Encoding: chunked', body)

/** Requests of which the upstream may see `/first` at most, never a second one, and never two framings. */
const requests: Record<string, string[]> = {
  'cl-te': [post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`)],
  'te-cl': [
    post(
      'Transfer-Encoding: chunked\r\nContent-Length: 4',
      `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ),
  ],
  'te-te': [
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: identity, chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: xchunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: gzip, chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding : chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding:\x0bchunked', `0\r\n\r\n${smuggled}`),
  ],
  'te-10': [
    `POST /first HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  'cl-dup': ['5\r\nContent-Length: 6', '5\r\nContent-Length: 5', '5, 5', '5, 6'].map((length) =>
    post(`Content-Length: ${length}`, `hello${smuggled}`),
  ),
  'cl-variants': ['+5', '0x5', '5_0', '5 x', '-1', '9999999999999999999999', '5;', '1e1'].map((length) =>
    post(`Content-Length: ${length}`, `hello${smuggled}`),
  ),
  'bare-lf': [
    `POST /first HTTP/1.1\nHost: a\nContent-Length: 0\n\n${smuggled}`,
    `POST /first HTTP/1.1\r\nHost: a\nContent-Length: 0\r\n\r\n${smuggled}`,
    chunked(`0\n\n${smuggled}`),
  ],
  'bare-cr': [
    post('X: a\rContent-Length: 0', smuggled),
    post('X: a\r\rTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
  ],
  'chunk-size': ['FFFFFFFFFFFFFFFF0', '-1', '0x5', ' 5', '5 ;x', '1e1\n', '', 'g'].map((size) =>
    chunked(`${size}\r\nhello\r\n0\r\n\r\n${smuggled}`),
  ),
  'chunk-ext-huge': [chunked(`5;${'x'.repeat(64 * 1024)}\r\nhello\r\n0\r\n\r\n${smuggled}`)],
  'trailer-fields': ['Content-Length: 5', 'Transfer-Encoding: chunked'].map((line) =>
    chunked(`0\r\n${line}\r\n\r\n${smuggled}`),
  ),
  'no-host': ['GET /first HTTP/1.1\r\n\r\n'],
  'version-odd': ['HTTP/1.2', 'HTTP/0.9', 'HTTP/2.0', 'http/1.1'].map(
    (version) => `GET /first ${version}\r\nHost: a\r\n\r\n`,
  ),
  'target-odd': ['', 'a b', '/a b'].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`),
  'header-name-odd': [
    ': x',
    '(x): y',
    'a\0b: c',
    `${'x'.repeat(64 * 1024)}: y`,
    ' Folded: x',
    'X-Forwarded-User\t: admin',
  ].map((line) => `GET /first HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`),
  'crlf-in-value': [
    'GET /first HTTP/1.1\r\nHost: a\r\nX-Forwarded-User: alice\r\n X-Forwarded-Groups: admins\r\n\r\n',
    'GET /first HTTP/1.1\r\nHost: a\r\nX: \0admin\r\n\r\n',
  ],
}

/** Node refuses all but these by itself; they are framed in one way only, by the rules of RFC 9112. */
const framed = new Set([
  // Chunk extensions are allowed (RFC 9112 7.1.1) and end with the line.
  chunked(`5 ;x\r\nhello\r\n0\r\n\r\n${smuggled}`),
])

describe('requestSmuggling', () => {
  for (const [name, variants] of Object.entries(requests)) {
    for (const [index, bytes] of variants.entries()) {
      test(`${name} ${index + 1} is refused, and nothing behind it reaches the upstream`, async () => {
        await using upstream = await openEchoUpstream()
        await using gateway = await openGateway(upstream.url)
        const answer = await exchangeBytes(gateway.port, bytes)
        const first = /^HTTP\/1\.1 (\d{3})/.exec(answer.text)?.[1] ?? 'closed'
        if (framed.has(bytes) && first === '200') return
        assert.match(first, /^(?:closed|400|413|431|505)$/)
        assert.doesNotMatch(answer.text, /HTTP\/1\.1 [2-5]\d\d[\s\S]*HTTP\/1\.1 /, 'a second request was answered')
        assert.deepEqual(upstream.received, [])
        assert.notEqual(answer.ended, 'open')
      })
    }
  }
})

describe('requests that stay apart', () => {
  test('cl-zero-body: what follows a length of 0 is the next request, on both sides', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    await exchangeBytes(gateway.port, post('Content-Length: 0', smuggled), 60)
    assert.deepEqual(
      upstream.received.map(({ url, body }) => [url, body]),
      [
        ['/first', ''],
        ['/smuggled', ''],
      ],
    )
  })

  test('trailer-fields are dropped', async () => {
    await using upstream = await openEchoUpstream()
    await using gateway = await openGateway(upstream.url)
    const trailers = 'Host: b\r\nAuthorization: x\r\nX-Forwarded-User: admin\r\nX-Auth-User: admin\r\n'
    await exchangeBytes(gateway.port, chunked(`2\r\nhi\r\n0\r\n${trailers}\r\n`), 60)
    const [seen] = upstream.received
    assert.deepEqual([seen?.body, seen?.trailers, seen?.headers.host], ['hi', {}, 'a'])
    assert.doesNotMatch(JSON.stringify(seen), /admin/)
  })

  test('pipelining: answers come in order, each to its own request', async () => {
    await using upstream = await openEchoUpstream((request, response) => void response.end(`<${request.url}>`))
    await using gateway = await openGateway(upstream.url)
    const paths = Array.from({ length: 1_000 }, (_, index) => `/${index}`)
    const answer = await exchangeBytes(
      gateway.port,
      paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''),
      1_000,
    )
    assert.deepEqual(gateway.failures, [])
    assert.deepEqual(
      answer.text.match(/<[^>]+>/g),
      paths.map((path) => `<${path}>`),
    )
  })
})
