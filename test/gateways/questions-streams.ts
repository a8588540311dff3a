/** What is not a small page: bodies, websockets, events. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { WebSocket } from 'ws'
import type { GatewayUnderTest } from './gateway-under-test.ts'
import type { Question } from './question.ts'

async function bodyStaysWhole(gateway: GatewayUnderTest): Promise<void> {
  const body = Buffer.alloc(1_000_000, 'doorward, 24 letters or so')
  const hashes: string[] = []
  gateway.world.application.on('/upload', (request, response) => void hashBody(request, response, hashes))
  const cookie = await gateway.cookieOf('bob')
  for (const framing of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
    const headers = { cookie, origin: gateway.origin, 'content-type': 'application/octet-stream', ...framing }
    const request = gateway.open({ method: 'POST', path: '/upload', headers })
    request.end(body)
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    assert.equal(answer.statusCode, 200)
    answer.resume()
  }
  const expected = createHash('sha256').update(body).digest('hex')
  assert.deepEqual(hashes, [expected, expected])
}

async function hashBody(request: IncomingMessage, response: ServerResponse, hashes: string[]): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of request) hash.update(chunk)
  hashes.push(hash.digest('hex'))
  response.end()
}

/** Open, or the status that refused it. */
type Opened = WebSocket | number

export const openSocket = ({ origin, port }: GatewayUnderTest, path: string, headers: Record<string, string>) =>
  new Promise<Opened>((resolve, reject) => {
    const socket = new WebSocket(origin.replace('https', 'wss') + path, {
      headers,
      rejectUnauthorized: false,
      lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }] as never, 4),
    })
    socket.once('open', () => resolve(socket))
    socket.once('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0)
      request.destroy()
    })
    socket.on('error', (error) => reject(new Error(`websocket at ${port}`, { cause: error })))
  })

async function websocketsAreAsked(gateway: GatewayUnderTest): Promise<void> {
  const cookie = await gateway.cookieOf('bob')
  const opened = await openSocket(gateway, '/ws', { cookie, origin: gateway.origin })
  assert.ok(opened instanceof WebSocket, `refused with ${String(opened)}`)
  opened.send('as it was')
  const [message] = await once(opened, 'message')
  assert.equal(String(message), 'as it was')
  assert.equal(gateway.world.application.last().headers['x-auth-user'], 'bob')
  opened.close()
  await once(opened, 'close')

  const { reached } = await gateway.during(async () => {
    const refused = {
      'nobody signed in': await openSocket(gateway, '/ws', { origin: gateway.origin }),
      'another site': await openSocket(gateway, '/ws', { cookie, origin: 'https://evil.example' }),
      'no origin': await openSocket(gateway, '/ws', { cookie }),
      'not allowed': await openSocket(gateway, '/admin/ws', { cookie, origin: gateway.origin }),
    }
    for (const [who, status] of Object.entries(refused)) {
      assert.ok(typeof status === 'number' && status >= 300 && status < 500, `${who}: ${String(status)}`)
    }
  })
  assert.deepEqual(reached, [])
}

async function eventsStream(gateway: GatewayUnderTest): Promise<void> {
  let more: (() => void) | undefined
  gateway.world.application.on('/events', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n')
    more = () => response.end('data: two\n\n')
  })
  const cookie = await gateway.cookieOf('bob')
  const request = gateway.open({ path: '/events', headers: { cookie, accept: 'text/event-stream' } })
  request.end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  const chunks = answer.setEncoding('utf8')[Symbol.asyncIterator]()
  assert.equal((await chunks.next()).value, 'data: one\n\n', 'the first event comes before there is a second')
  more!()
  assert.equal((await chunks.next()).value, 'data: two\n\n')
}

export const streamQuestions: readonly Question[] = [
  { name: 'A body of 1 MB arrives whole', answer: bodyStaysWhole },
  { name: 'Websockets are asked about: opened or refused', answer: websocketsAreAsked },
  { name: 'Events stream one by one', answer: eventsStream },
]
