/**
 * The list `requestSmuggling` on the real listener. The first request may pass, as anybody or as alice; the one hidden
 * behind it asks for what alice alone may see, without her cookie, and must never reach the upstream.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { corpus } from '../support/corpus.ts'
import { send } from './wire.ts'
import { host, openWorld, origin, type World } from './world.ts'

const routes = `
  - { path: /public/*, allow: public, upstream: "{upstream}" }
  - { allow: signedIn, upstream: "{upstream}" }
`
let world: World
let session: string
before(async () => {
  world = await openWorld({ routes, more: 'bearer: [{ issuer: "{issuer}", audience: api }]' })
  session = await world.signIn()
})
after(() => world.close())

const hidden = `GET /hidden HTTP/1.1\r\nHost: ${host}\r\n\r\n`
type First = (lines: string, body: string, version?: string) => string
const chunked = (first: First, body: string) => first('Transfer-Encoding: chunked', body)

/** `refused`: no answer but a no, and the connection ends. `no`: it may go on. `apart`: framed in one way, so the hidden one is a request of its own, and refused. */
const attacks: Record<
  string,
  { readonly outcome: 'refused' | 'no' | 'apart'; readonly bytes: (first: First) => string[] }
> = {
  'cl-te': {
    outcome: 'refused',
    bytes: (first) => [first('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${hidden}`)],
  },
  'te-cl': {
    outcome: 'refused',
    bytes: (first) => [
      first(
        'Transfer-Encoding: chunked\r\nContent-Length: 4',
        `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
      ),
    ],
  },
  'te-te': {
    outcome: 'refused',
    bytes: (first) =>
      [
        'chunked\r\nTransfer-Encoding: chunked',
        'chunked, identity',
        'identity, chunked',
        'xchunked',
        'gzip, chunked',
        '\x0bchunked',
      ]
        .map((coding) => first(`Transfer-Encoding: ${coding}`, `0\r\n\r\n${hidden}`))
        .concat(first('Transfer-Encoding : chunked', `0\r\n\r\n${hidden}`)),
  },
  'te-10': {
    outcome: 'refused',
    bytes: (first) => [first('Transfer-Encoding: chunked\r\nConnection: keep-alive', `0\r\n\r\n${hidden}`, '1.0')],
  },
  'cl-dup': {
    outcome: 'refused',
    bytes: (first) =>
      ['5\r\nContent-Length: 6', '5\r\nContent-Length: 5', '5, 5', '5, 6'].map((length) =>
        first(`Content-Length: ${length}`, `hello${hidden}`),
      ),
  },
  'cl-variants': {
    outcome: 'refused',
    bytes: (first) =>
      ['+5', '0x5', '5_0', '5 x', '-1', '9999999999999999999999', '5;', '1e1'].map((length) =>
        first(`Content-Length: ${length}`, `hello${hidden}`),
      ),
  },
  'cl-zero-body': {
    outcome: 'apart',
    bytes: (first) => [first('Content-Length: 0', hidden), first('Content-Length: 05', `hello${hidden}`)],
  },
  'bare-lf': {
    outcome: 'refused',
    bytes: (first) => [
      first('Content-Length: 0', hidden).replace('\r\n', '\n'),
      first('X: y\nContent-Length: 0', hidden),
      chunked(first, `0\n\n${hidden}`),
    ],
  },
  'bare-cr': {
    outcome: 'refused',
    bytes: (first) => [first('X: a\rContent-Length: 0', hidden), first('X: a\r\rTransfer-Encoding: chunked', hidden)],
  },
  'chunk-size': {
    outcome: 'refused',
    bytes: (first) =>
      ['FFFFFFFFFFFFFFFF0', '-1', '0x5', ' 5', '1e1\n', '', 'g'].map((size) =>
        chunked(first, `${size}\r\nhello\r\n0\r\n\r\n${hidden}`),
      ),
  },
  'chunk-ext-huge': {
    outcome: 'refused',
    bytes: (first) => [chunked(first, `5;${'x'.repeat(64 * 1024)}\r\nhello\r\n0\r\n\r\n${hidden}`)],
  },
  'trailer-fields': {
    outcome: 'refused',
    bytes: (first) =>
      ['Content-Length: 5', 'Transfer-Encoding: chunked'].map((line) =>
        chunked(first, `0\r\n${line}\r\n\r\n${hidden}`),
      ),
  },
  'header-name-odd': {
    outcome: 'refused',
    bytes: (first) =>
      [': x', '(x): y', 'a\0b: c', `${'x'.repeat(64 * 1024)}: y`, ' Folded: x', 'X-Auth-User\t: admin'].map((line) =>
        first(line, hidden),
      ),
  },
  'two-host': { outcome: 'no', bytes: (first) => [first('Host: evil.example', ''), first(`host: ${host}`, '')] },
  'host-mismatch': {
    outcome: 'no',
    bytes: (first) => [first('X: y', '').replace(/(GET|POST) \//, '$1 http://evil.example/')],
  },
  'no-host': { outcome: 'refused', bytes: (first) => [first('X: y', '').replace(`Host: ${host}\r\n`, '')] },
  'target-odd': {
    outcome: 'no',
    bytes: (first) =>
      ['*', `${host}:443`, '', '/public/a b', '/public/ä', '/public/x#/hidden', 'public/x', 'ftp://a/public/x'].map(
        (target) => first('X: y', '').replace(/(GET|POST) \/\S+/, `$1 ${target}`),
      ),
  },
  'version-odd': {
    outcome: 'refused',
    bytes: (first) =>
      ['1.2', '0.9', '2.0', '3', '1.1 ']
        .map((version) => first('X: y', '', version))
        .concat(first('X: y', '').replace('HTTP/', 'http/')),
  },
  'upgrade-smuggle': {
    outcome: 'apart',
    bytes: (first) => [
      first('Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0', hidden),
      first('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0', hidden),
      first(`Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${hidden.length}`, hidden),
      first(
        'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      ),
    ],
  },
}

const elsewhere: Record<string, string> = {
  'early-response': 'test/proxy/forward.test.ts',
  'slow-body': 'test/proxy/forward.test.ts: a slow client, and bodyTimeout',
}
const stories = ['pipelining', 'expect-100', 'slowloris']

test('every name of the list is tried, or says where', () => {
  const here = [...Object.keys(attacks), ...Object.keys(elsewhere), ...stories]
  assert.deepEqual(here.toSorted(), corpus.requestSmuggling.map(({ name }) => name).toSorted())
})

const firsts: Record<string, () => First> = {
  'behind a public request':
    () =>
    (lines, body, version = '1.1') =>
      `POST /public/first HTTP/${version}\r\nHost: ${host}\r\n${lines}\r\n\r\n${body}`,
  'behind a request of alice':
    () =>
    (lines, body, version = '1.1') =>
      `POST /first HTTP/${version}\r\nHost: ${host}\r\nOrigin: ${origin}\r\nCookie: ${session}\r\n${lines}\r\n\r\n${body}`,
  'behind one of our own pages':
    () =>
    (lines, body, version = '1.1') =>
      `POST /_doorward/logout HTTP/${version}\r\nHost: ${host}\r\nOrigin: ${origin}\r\nContent-Type: application/x-www-form-urlencoded\r\n${lines}\r\n\r\n${body}`,
  'behind a request that is refused':
    () =>
    (lines, body, version = '1.1') =>
      `POST /first HTTP/${version}\r\nHost: ${host}\r\n${lines}\r\n\r\n${body}`,
}

for (const [place, open] of Object.entries(firsts)) {
  describe(place, () => {
    for (const [name, { outcome, bytes }] of Object.entries(attacks)) {
      test(name, async () => {
        for (const text of bytes(open())) {
          // A connection that is refused ends, so waiting for that costs nothing but on a busy machine.
          const patience = outcome === 'refused' ? 2000 : 100
          const { result, seen } = await world.watch(() => send(world.port, text, { patience }))
          const what = `${JSON.stringify(text.slice(0, 300))} -> ${JSON.stringify(result.text.slice(0, 300))}`
          assert.equal(seen.filter(({ url }) => url !== '/public/first' && url !== '/first').length, 0, what)
          if (outcome === 'apart') {
            assert.ok(
              result.answers.slice(1).every(({ status }) => status === 401 || status === 400),
              what,
            )
            continue
          }
          // A second one is Node's own 400, for what its parser met after we had said no.
          assert.ok(
            result.answers.every(({ status }) => (status >= 400 && status < 500) || status === 505),
            what,
          )
          assert.ok(seen.length === 0, what)
          if (outcome === 'refused') assert.notEqual(result.ended, 'open', what)
        }
        assert.deepEqual(world.errors(), [])
      })
    }
  })
}

describe('many requests on one connection', () => {
  const ask = (path: string, lines = '') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`

  test('pipelining: each has its own identity, and answers come in order', async () => {
    const token = await world.rogue.accessToken()
    const kinds = [
      { lines: `Cookie: ${session}\r\n`, status: 200 },
      { lines: '', status: 401 },
      { lines: `Authorization: Bearer ${token}\r\n`, status: 401 },
      { lines: `Cookie: ${session.replace('=', '=x')}\r\n`, status: 401 },
    ]
    const order = Array.from({ length: 200 }, (_, index) => kinds[(index * 7 + (index >> 3)) % kinds.length]!)
    const text = order.map(({ lines }, index) => ask(`/n/${index}`, lines)).join('')
    const { result, seen } = await world.watch(() => send(world.port, text, { answers: order.length }))
    assert.deepEqual(
      result.answers.map(({ status }) => status),
      order.map(({ status }) => status),
    )
    for (const { url, headers } of seen) {
      assert.equal(order[Number(url.slice(3))]!.status, 200, `${url} reached the upstream`)
      assert.equal(headers.find(([name]) => name === 'X-Auth-User')?.[1], 'alice')
    }
    assert.equal(seen.length, order.filter(({ status }) => status === 200).length)
  })

  test('expect-100: who is refused is not asked for the body', async () => {
    const lines = 'Expect: 100-continue\r\nContent-Length: 5\r\n'
    const refused = await send(world.port, `POST /x HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`)
    assert.match(refused.text, /^HTTP\/1\.1 401 /)
    assert.equal(refused.ended, 'closed')
    const early = await send(world.port, `POST /x HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\nhello${hidden}`)
    assert.doesNotMatch(early.text, /100 Continue/)
    const allowed = `POST /public/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${lines}\r\nhello`
    assert.match((await send(world.port, allowed)).text, /^HTTP\/1\.1 100 [\s\S]*HTTP\/1\.1 200 /)
  })

  test('slowloris: heads that never end are bounded in time, and others are served meanwhile', async () => {
    assert.ok(world.server.config.limits.headersTimeout <= 30_000)
    const slow = Array.from({ length: 50 }, () =>
      send(world.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nX`, { patience: 300 }),
    )
    const answer = await send(world.port, ask('/public/x', 'Connection: close\r\n'))
    assert.equal(answer.answers[0]?.status, 200)
    await Promise.all(slow)
  })
})
