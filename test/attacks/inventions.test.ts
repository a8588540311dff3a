/** Attacks beyond the corpus, each kept because it once passed, or because only one line stands against it. */
import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { refuseUnclearHead } from '../../src/http/request-reading.ts'
import { gatewayWires } from '../contracts/gateway-wires.ts'
import { ask, bytesOf, type HeaderLine, send } from './wire.ts'
import { host, navigation, openWorld, origin, request, type World } from './world.ts'

const routes = `
  - { path: /office/*, allow: { networks: [127.0.0.0/8] }, upstream: "{upstream}" }
  - { path: /in/*, allow: signedIn, upstream: "{upstream}" }
  - { allow: public, upstream: "{upstream}" }
`
let world: World
let session: string
before(async () => {
  world = await openWorld({ routes })
  session = await world.signIn()
})
after(() => world.close())

const seenBy = async (bytes: string) => (await world.watch(() => send(world.port, bytes, { patience: 300 }))).seen

describe('our own pages', () => {
  test('never become a request to the upstream, whatever spelling asks for them', async () => {
    const spellings = ['/_doorward/login', '/_doorward/callback?code=x&state=y', '/_doorward/session', '/_doorward']
    const doubtful = [
      '/_doorward%2flogin',
      '/%5fdoorward/login',
      '/%5Fdoorward/callback?code=x',
      '/_Doorward/..',
      '/_doorward/%6cogin',
      '//_doorward/login',
      '/_doorward;a=b/login',
      '/_doorward\\login',
      '/./_doorward/login',
      '/x/../_doorward/login',
      '/_doorward/../in/x',
      '/_doorward/%2e%2e/in/x',
      '/_doorward/login/',
      '/_doorward//login',
      '/_doorward/LOGIN',
      '/_doorward/callback/..%2flogin',
      '/_doorward/login%00',
      '/_doorward#',
      '/_doorward/unknown',
    ]
    const absolute = spellings.flatMap((target) => [`https://${host}${target}`, `http://${host}${target}`])
    for (const target of [...spellings, ...doubtful, ...absolute]) {
      for (const cookie of ['', `Cookie: ${session}\r\n`]) {
        const bytes = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${cookie}Connection: close\r\n\r\n`
        assert.deepEqual(await seenBy(bytes), [], target)
      }
    }
    assert.equal((await seenBy(`GET /_doorwardish HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).length, 1)
  })

  test('are not upgraded, and not handed to the upstream as an upgrade', async () => {
    for (const page of ['session', 'login', 'logout', 'callback?code=x&state=y', '']) {
      const lines = `Origin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`
      const bytes = `GET /_doorward/${page} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${session}\r\n${lines}\r\n`
      assert.deepEqual(await seenBy(bytes), [], page)
    }
  })

  test('asked about by an ingress: a plain no, since a redirect would lead back to the question', async () => {
    for (const gateway of gatewayWires) {
      for (const uri of ['/_doorward/login?rd=/', '/_doorward/callback?code=x', '/%5fdoorward/login']) {
        const answer = await ask(world.forwardAuthPort, gateway.ask({ uri, headers: navigation, cookies: [session] }))
        assert.deepEqual([answer.status, answer.header('location')], [403, undefined], `${gateway.name} ${uri}`)
      }
    }
  })

  test('a sign-out is posted by our own pages alone, however the form is dressed', async () => {
    const types = [
      'application/x-www-form-urlencoded',
      'APPLICATION/X-WWW-FORM-URLENCODED',
      'application/x-www-form-urlencoded; charset=utf-8',
      'application/x-www-form-urlencoded;',
      'application/x-www-form-urlencoded, text/plain',
      ' application/x-www-form-urlencoded',
      'application/x-www-form-urlencoded\t',
      'multipart/form-data; boundary=x',
      'text/plain',
      'text/plain; application/x-www-form-urlencoded',
      'application/json',
      'text/xml',
      '*/*',
      '',
      'x',
      'application/x-www-form-urlencoded; boundary=x',
      'application/octet-stream',
      'application/csp-report',
      'multipart/form-data',
      'text/plain;charset=UTF-16',
    ]
    const strangers: HeaderLine[][] = [
      [['Origin', 'https://evil.example']],
      [['Origin', 'null']],
      [['Sec-Fetch-Site', 'cross-site']],
      [['Sec-Fetch-Site', 'same-site']],
      [],
      [['Origin', `${origin}.evil.example`]],
      [
        ['Origin', origin],
        ['Origin', 'https://evil.example'],
      ],
      [['Referer', `${origin}/x`]],
      [
        ['X-HTTP-Method-Override', 'GET'],
        ['X-Method-Override', 'GET'],
      ],
    ]
    for (const type of types) {
      for (const stranger of strangers) {
        for (const page of ['logout', 'session/refresh', 'logout?_method=GET']) {
          const headers: HeaderLine[] = [...stranger, ['Content-Type', type], ['Content-Length', '4']]
          const asked = request(`/_doorward/${page}`, { method: 'POST', headers, cookie: session, body: 'rd=/' })
          const answer = await ask(world.port, asked)
          const what = `${page} ${type} ${JSON.stringify(stranger)}: ${answer.status}`
          assert.ok(answer.status >= 400 && answer.status < 500, what)
          assert.equal(answer.header('set-cookie'), undefined, what)
        }
      }
    }
    assert.equal(
      (await ask(world.port, request('/_doorward/session', { cookie: session }))).status,
      200,
      'still signed in',
    )
    assert.deepEqual(world.errors(), [])
  })

  test('take a chunked form, and no more of it than they can use', async () => {
    const post = (body: string) =>
      `POST /_doorward/logout HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}`
    assert.equal((await ask(world.port, post('4\r\nrd=/\r\n0\r\n\r\n'))).status, 303)
    const large = 'x'.repeat(20_000)
    assert.equal((await ask(world.port, post(`${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`))).status, 413)
    assert.equal((await ask(world.port, post('4\r\n%%%%\r\n0\r\n\r\n'))).status, 303, 'no form is no wish')
    const odd = `rd=${'/a&rd='.repeat(2000)}`
    assert.equal((await ask(world.port, post(`${odd.length.toString(16)}\r\n${odd}\r\n0\r\n\r\n`))).status, 303)
    assert.deepEqual(world.errors(), [])
  })

  test('know their methods, and say so', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'POST', 'PURGE']) {
      const answer = await ask(world.port, request('/_doorward/login', { method, cookie: session }))
      assert.deepEqual([answer.status, answer.header('set-cookie')], [405, undefined], method)
    }
    assert.deepEqual(world.errors(), [])
  })

  test('bring a browser with hundreds of flow cookies through', async () => {
    const left = await ask(world.port, request('/_doorward/login', { headers: navigation }))
    const name = left.header('set-cookie')!.split('=', 1)[0]!
    for (const stem of [name.slice(0, -8), `${name.slice(0, -8)}x(`, name]) {
      const cookie = Array.from({ length: 500 }, (_, index) => `${stem}${index}=${'z'.repeat(20)}`).join('; ')
      const answer = await ask(world.port, request('/_doorward/login', { headers: navigation, cookie }))
      assert.equal(answer.status, 302)
      for (const line of answer.all('set-cookie'))
        assert.match(line, /^[\w-]+=/, 'no name that a header could break on')
      const bytes = answer.all('set-cookie').join('').length
      assert.ok(bytes < 4096, `${bytes} bytes of Set-Cookie`)
    }
    assert.deepEqual(world.errors(), [])
  })
})

describe('many headers', () => {
  const lines = (count: number) => 'a: b\r\n'.repeat(count)
  const hidden = `GET /hidden HTTP/1.1\r\nHost: ${host}\r\n\r\n`

  test('do not push out what a proxy in front adds last, nor hide the framing or the origin', async () => {
    const office = (fill: string) =>
      `GET /office/x HTTP/1.1\r\nHost: ${host}\r\nCookie: ${session}\r\n${fill}X-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n`
    const first = (fill: string) =>
      `POST /first HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fill}Content-Length: ${hidden.length}\r\n\r\n${hidden}`
    const twoHosts = (fill: string) =>
      `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fill}Host: evil.example\r\n\r\n`
    const foreign = (fill: string) =>
      `POST /in/x HTTP/1.1\r\nHost: ${host}\r\nCookie: ${session}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n${fill}Origin: https://evil.example\r\nContent-Length: 0\r\n\r\n`
    for (const count of [0, 900, 990, 995, 998, 1000, 1500, 3000]) {
      for (const make of [office, twoHosts, foreign]) assert.deepEqual(await seenBy(make(lines(count))), [], `${count}`)
      const seen = await seenBy(first(lines(count)))
      assert.deepEqual(
        seen.map(({ url, body }) => [url, body]),
        count < 995 ? [['/first', hidden]] : seen.length === 0 ? [] : [['/first', hidden]],
        `${count}`,
      )
    }
    assert.deepEqual(world.errors(), [])
  })

  test('a thousand of them are refused whatever this version of Node does with the rest', () => {
    const incoming = new IncomingMessage(new Socket())
    incoming.httpVersionMajor = 1
    incoming.rawHeaders = ['Host', host, ...Array.from({ length: 999 }, () => ['a', 'b']).flat()]
    assert.throws(() => refuseUnclearHead(incoming), { code: 'bad_request' })
    incoming.rawHeaders.splice(-2)
    refuseUnclearHead(incoming)
  })

  test('do not hide the question of an ingress', async () => {
    for (const gateway of gatewayWires) {
      const raw = gateway.ask({ uri: '/public/x' })
      const twice = gateway.carriers.map((carrier) => raw.headers.find(([name]) => name === carrier)!)
      const fill = Array.from({ length: 1_500 }, (): HeaderLine => ['a', 'b'])
      const asked = { ...raw, headers: [...raw.headers, ...fill, ...twice] }
      assert.notEqual((await ask(world.forwardAuthPort, asked)).status, 200, gateway.name)
    }
  })
})

test('no Connection header takes away what we say', async () => {
  const names = [
    'X-Auth-User',
    'X-Auth-Subject',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'Forwarded',
    'Host',
    'Content-Length',
    'Origin',
  ]
  for (const connection of [names.join(', '), names.join(',').toLowerCase(), ...names]) {
    const lines = `Connection: close, ${connection}\r\nOrigin: ${origin}\r\nContent-Length: 5\r\n`
    const [seen] = await seenBy(`POST /in/x HTTP/1.1\r\nHost: ${host}\r\nCookie: ${session}\r\n${lines}\r\nhello`)
    assert.equal(seen?.body, 'hello', connection)
    const said = new Map(seen.headers.map(([name, value]) => [name.toLowerCase(), value]))
    assert.equal(said.get('x-auth-user'), 'alice')
    assert.equal(said.get('x-auth-subject'), 'alice-id')
    assert.equal(said.get('x-forwarded-for'), '127.0.0.1')
    assert.equal(said.get('x-forwarded-host'), host)
    assert.deepEqual([said.get('host'), said.get('content-length')], [host, '5'], connection)
  }
})

test('a method in a header changes nothing', async () => {
  const names = [
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Original-Method',
    'X-Forwarded-Method',
    'Method',
  ]
  const headers = names.map((name): HeaderLine => [name, 'GET'])
  const asked = request('/in/x', { method: 'POST', headers: [...headers, ['Content-Length', '0']], cookie: session })
  const { result, seen } = await world.watch(() => ask(world.port, asked))
  assert.deepEqual([result.status, seen.length], [403, 0])
})

test('the ingress listener refuses unclear framing too, and closes', async () => {
  for (const gateway of gatewayWires) {
    const raw = gateway.ask({ uri: '/public/x', cookies: [session] })
    const kept = raw.headers.filter(([name]) => name !== 'Content-Length')
    const lines: HeaderLine[] = [
      ['Transfer-Encoding', 'identity, chunked'],
      ['Connection', 'keep-alive'],
    ]
    const bytes = bytesOf({ ...raw, headers: [...kept, ...lines], body: `0\r\n\r\n${bytesOf(raw)}` })
    const { answers, ended } = await send(world.forwardAuthPort, bytes)
    assert.equal(answers[0]?.status, 403, gateway.name)
    assert.equal(ended, 'closed', gateway.name)
  }
})
