/** The list `pathBypass`, written byte for byte: no reading of what the upstream got leaves the public part. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { corpus } from '../support/corpus.ts'
import { readingsOf, staysPublic } from './readings.ts'
import { type HeaderLine, send } from './wire.ts'
import { host, navigation, openWorld, origin, type World } from './world.ts'

const routes = `
  - { path: /public/*, allow: public, upstream: "{upstream}" }
  - { path: /health, allow: public, upstream: "{upstream}" }
  - { path: /kept/*, allow: signedIn, encodedSlashes: keep, upstream: "{upstream}" }
  - { allow: signedIn, upstream: "{upstream}" }
`

let world: World
before(async () => {
  world = await openWorld({ routes })
})
after(() => world.close())

const upgrade: readonly HeaderLine[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['Origin', origin],
]
const close: HeaderLine = ['Connection', 'close']
const lines = (headers: readonly HeaderLine[]) => headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')

const doors: Record<string, (target: string) => string> = {
  GET: (target) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines([close])}\r\n`,
  'a page': (target) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines([close, ...navigation])}\r\n`,
  'POST with a body': (target) =>
    `POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines([close, ['Content-Length', '5']])}\r\nhello`,
  websocket: (target) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines(upgrade)}\r\n`,
}

for (const [door, bytesOf] of Object.entries(doors)) {
  test(`nobody leaves the public part: ${door}`, async () => {
    let passed = 0
    for (const target of corpus.pathBypass) {
      const { result, seen } = await world.watch(() => send(world.port, bytesOf(target)))
      assert.notEqual(result.ended, 'open', `${JSON.stringify(target)} hangs`)
      const { status = 400 } = result.answers[0] ?? {}
      const isNo = status >= 400 && status < 500
      if (seen.length === 0) assert.ok(isNo || status === 302, `${JSON.stringify(target)}: ${status}`)
      for (const { url } of seen) {
        passed++
        assert.ok(staysPublic(url), `${JSON.stringify(target)} reached the upstream as ${url}`)
        assert.ok(staysPublic(target), `${JSON.stringify(target)} reached the upstream as ${url}`)
      }
    }
    assert.ok(passed > 0, 'some of the list is harmless, and passes')
    assert.deepEqual(world.errors(), [])
  })
}

test('the readings do tell', () => {
  for (const target of ['/public/x', '/health', '/health?x', '/public']) assert.ok(staysPublic(target), target)
  const bad = ['/public/../a', '/public/%252e%252e/a', '/public/..%5ca', '/public;/../a', '/healthz', '/public/..;/a']
  for (const target of bad) assert.ok(!staysPublic(target), readingsOf(target).join(' '))
})

describe('signed in, a path', () => {
  test('that can be read two ways is refused as well', async () => {
    const cookie = await world.signIn()
    for (const target of ['/a/../b', '/a/%2e%2e/b', '//a', '/a%2fb', '/a;b', '/a%5cb', '/a%00', '/a%zz', '/a#b']) {
      const bytes = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
      const { result, seen } = await world.watch(() => send(world.port, bytes))
      assert.deepEqual([result.answers[0]?.status, seen.length], [400, 0], target)
    }
  })

  test('is forwarded as it was judged, encoded slashes included where the route keeps them', async () => {
    const cookie = await world.signIn()
    const forms = [
      ['/kept/a%2Fb', '/kept/a%2Fb'],
      ['/kept/%61%2fb', '/kept/a%2Fb'],
      ['/a%20b?q=%2e%2e/', '/a%20b?q=%2e%2e/'],
      ['/%7euser', '/~user'],
    ]
    for (const [target, forwarded] of forms) {
      const bytes = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
      const { seen } = await world.watch(() => send(world.port, bytes))
      assert.deepEqual(
        seen.map(({ url }) => url),
        [forwarded],
      )
    }
  })
})
