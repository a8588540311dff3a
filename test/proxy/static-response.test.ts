import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { respondStatic } from '../../src/proxy/static-response.ts'
import { exchangeBytes, statusOf } from './gateway.ts'

test('a static answer: its headers, its length, HEAD without a body, 204 without a length, a body left unread', async () => {
  const server = http.createServer((request, response) => {
    const status = Number(request.url?.slice(1))
    respondStatic(
      request,
      response,
      { status, headers: { 'X-Robots-Tag': 'none' }, body: 'grüß' },
      status === 204 ? ['a=1'] : [],
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const ask = (start: string, lines = '', body = '') =>
    exchangeBytes(port, `${start} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n${body}`)

  const get = await ask('GET /200')
  assert.match(get.text, /X-Robots-Tag: none\r\n[\s\S]*Content-Length: 6\r\n[\s\S]*\r\n\r\n.{6}$/)
  assert.match((await ask('HEAD /200')).text, /Content-Length: 6\r\n[\s\S]*\r\n\r\n$/)
  const empty = await ask('GET /204')
  assert.doesNotMatch(empty.text, /Content-Length|grü/)
  assert.match(empty.text, /Set-Cookie: a=1\r\nCache-Control: no-store/)
  const post = await ask('POST /404', 'Content-Length: 5\r\n', 'hello')
  assert.equal(statusOf(post), 404)
  server.closeAllConnections()
  server.close()
})
