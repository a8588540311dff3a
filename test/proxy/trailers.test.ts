/** Trailers of an answer: a few names, and only for clients that ask for them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { describe, test } from 'node:test'
import { openEchoUpstream, openRawUpstream } from '../support/upstream.ts'
import { exchangeBytes, openGateway } from './gateway.ts'

const sent =
  'Server-Timing: db;dur=53\r\nRepr-Digest: sha-256=:YQ==:\r\nSet-Cookie: a=1\r\nX-Auth-User: admin\r\n' +
  'Host: b\r\nCache-Control: public\r\nServer-Timing: cache;dur=1\r\n'
const chunkedAnswer = (announced: string, trailers: string): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: ${announced}\r\n\r\n2\r\nhi\r\n0\r\n${trailers}\r\n`

async function answerTo(te: string | undefined, answer: string, method = 'GET') {
  await using upstream = await openRawUpstream((socket) => void socket.write(answer))
  await using gateway = await openGateway(upstream.url)
  const headers = te === undefined ? {} : { TE: te, Connection: 'TE' }
  const request = http.request(gateway.url, { method, headers, agent: false }).end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let body = ''
  for await (const chunk of response) body += chunk
  return { body, response, asked: upstream.heads[0] ?? '' }
}

describe('response trailers', () => {
  test('timings and digests pass to a client that takes trailers, and nothing else does', async () => {
    const announced = 'Set-Cookie, Repr-Digest, Server-Timing, X-Auth-User'
    const { body, response, asked } = await answerTo('trailers', chunkedAnswer(announced, sent))
    assert.equal(body, 'hi')
    assert.deepEqual(response.rawTrailers, [
      'server-timing',
      'db;dur=53',
      'server-timing',
      'cache;dur=1',
      'repr-digest',
      'sha-256=:YQ==:',
    ])
    assert.equal(response.headers.trailer, 'repr-digest, server-timing')
    assert.match(asked, /^TE: trailers$/m)
  })

  for (const te of [undefined, 'deflate', 'xtrailers']) {
    test(`none pass to a client that says TE: ${te}`, async () => {
      const { body, response, asked } = await answerTo(te, chunkedAnswer('Server-Timing', sent))
      assert.deepEqual([body, response.rawTrailers, response.headers.trailer], ['hi', [], undefined])
      assert.doesNotMatch(asked, /^TE:/im)
    })
  }

  test('a value beyond ASCII stays behind, and the answer is whole', async () => {
    const { body, response } = await answerTo('trailers', chunkedAnswer('x', 'Server-Timing: \xe9\r\nDigest: a=b\r\n'))
    assert.deepEqual([body, response.complete, response.rawTrailers], ['hi', true, ['digest', 'a=b']])
  })

  test('an answer without room for them is whole: HEAD, a known length, HTTP/1.0', async () => {
    const announcing = 'HTTP/1.1 200 OK\r\nTrailer: Server-Timing\r\nContent-Length: 2\r\n\r\n'
    assert.equal((await answerTo('trailers', announcing, 'HEAD')).response.headers['content-length'], '2')
    assert.equal((await answerTo('trailers', `${announcing}hi`)).body, 'hi')
    await using upstream = await openRawUpstream((socket) => void socket.write(chunkedAnswer('Server-Timing', sent)))
    await using gateway = await openGateway(upstream.url)
    const { text } = await exchangeBytes(gateway.port, 'GET / HTTP/1.0\r\nHost: a\r\nTE: trailers\r\n\r\n', 60)
    assert.match(text, /\r\n\r\nhi$/)
  })

  test('an upstream that sends none changes nothing', async () => {
    await using upstream = await openEchoUpstream((_request, response) => void response.end('hi'))
    await using gateway = await openGateway(upstream.url)
    const answer = await fetch(gateway.url, { headers: { te: 'trailers' } })
    assert.equal(await answer.text(), 'hi')
  })
})
