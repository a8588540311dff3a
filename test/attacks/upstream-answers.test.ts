/** The list `upstreamResponses` through the whole gateway: what an upstream answers neither takes us over nor tells our insides. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { corpus } from '../support/corpus.ts'
import { openRawUpstream, type TestUpstream } from '../support/upstream.ts'
import { type Exchange, send } from './wire.ts'
import { host, openWorld, type World } from './world.ts'

/** Path -> what the upstream writes; `end` closes after it. */
const answers = new Map<string, { readonly writes: string; readonly end: boolean }>()
let upstream: TestUpstream
let world: World
let session: string
before(async () => {
  upstream = await openRawUpstream((socket, head) => {
    const answer = answers.get(head.split(' ')[1]!)!
    socket.write(answer.writes, 'latin1')
    if (answer.end) socket.end()
  })
  world = await openWorld({ routes: `  - { allow: signedIn, upstream: "${upstream.url.origin}" }` })
  session = await world.signIn()
})
after(async () => {
  await world.close()
  await upstream.close()
})

const ok = 'HTTP/1.1 200 OK\r\n'
const plain = (lines: string) => `${ok}${lines}Content-Length: 2\r\n\r\nhi`
const name = () => session.slice(0, session.indexOf('='))

type Judge = (exchange: Exchange) => void
const status =
  (wanted: number, inspect: Judge = () => {}): Judge =>
  (exchange) => {
    assert.equal(exchange.answers[0]?.status, wanted, exchange.text)
    inspect(exchange)
  }
const bad: Judge = status(502, ({ answers: [answer] }) => {
  assert.match(answer!.body, /upstream_invalid|upstream_unreachable/)
  assert.ok(answer!.header('content-type'))
})
const has = (pattern: RegExp): Judge => status(200, ({ text }) => assert.match(text, pattern))
const hasNot = (pattern: RegExp): Judge => status(200, ({ text }) => assert.doesNotMatch(text, pattern))
const cut: Judge = ({ text, ended }) => {
  assert.doesNotMatch(text, /\r\n0\r\n\r\n$/)
  assert.notEqual(ended, 'open')
}

const attacks: Record<string, () => readonly (readonly [writes: string, judge: Judge, end?: boolean])[]> = {
  'set-cookie-gateway': () => [
    [
      plain(
        [name(), `${name()}-2`, `${name()}-marker`, `${name()}-login-abc`, name().toLowerCase(), name().toUpperCase()]
          .flatMap((cookie) => [
            `Set-Cookie: ${cookie}=evil; Path=/\r\n`,
            `Set-Cookie:  ${cookie} =evil; Domain=example.com\r\n`,
          ])
          .join('')
          .concat('Set-Cookie: theirs=1\r\n'),
      ),
      ({ text }) => {
        assert.doesNotMatch(text, /evil/)
        assert.match(text, /Set-Cookie: theirs=1/i)
      },
    ],
  ],
  'identity-echo': () => [[plain('X-Auth-User: mallory\r\nX-Auth-Request-User: mallory\r\n'), status(200)]],
  'connection-nominated': () => [
    [plain('Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=1\r\n'), hasNot(/X-Secret|timeout=1/i)],
  ],
  '503-retry-after': () => [
    [
      'HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n',
      status(503, ({ text }) => assert.match(text, /Retry-After: 9/i)),
    ],
  ],
  '401-www-authenticate': () => [
    [
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="theirs"\r\nContent-Length: 0\r\n\r\n',
      status(401, ({ text }) => {
        assert.match(text, /realm="theirs"/)
        assert.doesNotMatch(text, /login_url|Set-Cookie/i)
      }),
    ],
  ],
  'redirect-internal-host': () => [
    [
      `HTTP/1.1 302 Found\r\nLocation: ${upstream.url.origin}/x\r\nContent-Length: 0\r\n\r\n`,
      status(302, ({ text }) => {
        assert.match(text, /location: https:\/\/app\.example\.com\/x\r\n/i)
        assert.ok(!text.includes(String(upstream.port)))
      }),
    ],
  ],
  'dup-cl': () => [[`${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!`, bad]],
  'truncated-cl': () => [[`${ok}Content-Length: 10\r\n\r\nhi`, cut, true]],
  'truncated-chunked': () => [[`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`, cut, true]],
  'bad-header': () => [
    [plain('X: a\x01b\r\n'), bad],
    [plain('X: a\0b\r\n'), bad],
    [plain('X Y: a\r\n'), bad],
    [plain('X-Name: caf\xe9\r\n'), status(200)],
    [`${ok}X: ${'x'.repeat(70_000)}\r\n\r\n`, bad],
  ],
  'status-odd': () => [
    ['HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n', bad],
    ['HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n', bad],
    ['HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', bad],
    ['HTTP/1.1 103 X\r\n\r\n'.repeat(100), bad],
  ],
  garbage: () => [
    ['\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', bad, true],
    ['<html><body>stack trace at /srv/app.js</body></html>\r\n\r\n', bad, true],
  ],
  'cors-star': () => [
    [plain('Access-Control-Allow-Origin: *\r\n'), has(/Access-Control-Allow-Origin: \*\r\n/i)],
    [plain(''), hasNot(/access-control/i)],
  ],
  'early-hints': () => [[`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${plain('')}`, status(200)]],
  'compressed-bomb': () => [[plain('Content-Encoding: gzip\r\n'), has(/content-encoding: gzip[\s\S]*hi$/i)]],
}

const elsewhere: Record<string, string> = {
  'body-endless': 'test/proxy/forward.test.ts: back-pressure',
  sse: 'test/proxy/forward.test.ts: streaming',
  'ws-101': 'test/journeys/websocket.test.ts',
}

test('every name of the list is tried, or says where', () => {
  const here = [...Object.keys(attacks), ...Object.keys(elsewhere)]
  assert.deepEqual(here.toSorted(), corpus.upstreamResponses.map(({ name: each }) => each).toSorted())
})

describe('an upstream that answers', () => {
  for (const [what, variants] of Object.entries(attacks)) {
    test(what, async () => {
      for (const [index, [writes, judge, end = false]] of variants().entries()) {
        const path = `/${what}/${index}`
        answers.set(path, { writes, end })
        const asked = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${session}\r\nConnection: close\r\n\r\n`
        const exchange = await send(world.port, asked)
        judge(exchange)
        assert.doesNotMatch(exchange.text, /undici|HPE_|node:|\bat \/|UND_ERR|ECONN|stack/i, 'our insides')
        assert.equal(exchange.answers.length <= 1, true, 'one answer to one question')
        if (!writes.includes('Location')) assert.ok(!exchange.text.includes(`127.0.0.1:${upstream.port}`))
      }
      assert.deepEqual(world.errors(), [])
    })
  }
})
