/** What passes through the whole gateway, and what does not. The forwarder alone: test/proxy. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { describe, test } from 'node:test'
import { exchangeBytes, statusOf } from '../proxy/gateway.ts'
import { freePort } from '../support/free-port.ts'
import { signedIn, startGateway, type TestGateway, until } from '../support/gateway.ts'

/** Cookie and Origin of somebody signed in, as a header map for plain clients. */
async function credentialsOf(gateway: TestGateway): Promise<Record<string, string>> {
  const browser = await signedIn(gateway)
  return { cookie: browser.cookies.header(new URL(gateway.origin))!, origin: gateway.origin }
}

/** A request whose answer is read by hand. */
async function open(gateway: TestGateway, path: string, options: http.RequestOptions = {}, body?: Buffer) {
  const request = http.request(gateway.origin + path, { agent: false, ...options })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return { request, response }
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

describe('bodies', () => {
  test('a megabyte up and a megabyte down arrive whole', async (t) => {
    const gateway = await startGateway(t)
    const headers = await credentialsOf(gateway)
    const megabyte = Buffer.alloc(1024 * 1024, 'x')
    gateway.application.on('/down', (_request, response) => void response.end(megabyte))
    const up = await open(gateway, '/up', { method: 'POST', headers }, megabyte)
    assert.equal(JSON.parse(await textOf(up.response)).bytes, megabyte.length)
    const down = await open(gateway, '/down', { headers })
    assert.equal((await textOf(down.response)).length, megabyte.length)
  })

  test('one beyond the limit of its route is 413', async (t) => {
    const gateway = await startGateway(t, {
      config: ({ application }) => ({
        routes: [{ allow: 'public', upstream: { url: application, maxBody: '1KiB' } }],
      }),
    })
    const { response } = await open(gateway, '/up', { method: 'POST' }, Buffer.alloc(2048))
    assert.equal(response.statusCode, 413)
    response.resume()
  })

  test('an unauthenticated upload is refused before it is read', async (t) => {
    const gateway = await startGateway(t)
    const head = `POST /up HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nContent-Length: 1000000\r\n\r\n`
    const answer = await exchangeBytes(gateway.port, head)
    assert.equal(statusOf(answer), 401)
    assert.equal(gateway.application.received.length, 0)
  })

  test('Expect: 100-continue is answered once the request is allowed, and not before', async (t) => {
    const gateway = await startGateway(t)
    const expect = 'Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n'
    const head = `Host: 127.0.0.1:${gateway.port}\r\n${expect}`
    const refused = await exchangeBytes(gateway.port, `POST /x HTTP/1.1\r\n${head}\r\n`)
    assert.equal(statusOf(refused), 401)
    assert.doesNotMatch(refused.text, /100 Continue/)
    const allowed = await exchangeBytes(gateway.port, `POST /public/x HTTP/1.1\r\n${head}\r\nhi`)
    assert.match(allowed.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
  })

  test('server-sent events arrive one by one', async (t) => {
    const gateway = await startGateway(t)
    const headers = await credentialsOf(gateway)
    let tell = (_text: string): void => {}
    gateway.application.on('/sse', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      tell = (text) => void response.write(`data: ${text}\n\n`)
    })
    const { request, response } = await open(gateway, '/sse', { headers })
    for (const text of ['one', 'two', 'three']) {
      tell(text)
      const [chunk] = await once(response, 'data')
      assert.equal(String(chunk), `data: ${text}\n\n`)
    }
    request.destroy()
  })

  test('a client that goes away cancels the request at the application within 100 ms', async (t) => {
    const gateway = await startGateway(t)
    const headers = await credentialsOf(gateway)
    let gone = 0
    gateway.application.on('/slow', (request, response) => {
      request.resume()
      response.on('close', () => (gone = performance.now()))
      response.writeHead(200).write('begun')
    })
    const { request, response } = await open(gateway, '/slow', { headers })
    response.on('error', () => {})
    await once(response, 'data')
    const left = performance.now()
    request.destroy()
    await until(() => gone > 0, 'the end at the application')
    assert.ok(gone - left < 100, `${gone - left} ms`)
  })
})

describe('answers', () => {
  test('ranges, redirects, 204, 304 and compressed bodies pass as they are', async (t) => {
    const gateway = await startGateway(t)
    const headers = await credentialsOf(gateway)
    const answers: Readonly<Record<string, readonly [number, Record<string, string>]>> = {
      '/range': [206, { 'content-range': 'bytes 0-3/10', 'content-length': '4' }],
      '/empty': [204, {}],
      '/same': [304, { etag: '"a"' }],
      '/moved': [302, { location: '/elsewhere' }],
      '/zipped': [200, { 'content-encoding': 'gzip', 'content-length': '4' }],
      '/wrong': [418, { 'x-own': 'yes' }],
    }
    for (const [path, [status, wanted]] of Object.entries(answers)) {
      gateway.application.on(path, (_request, response) => {
        response.writeHead(status, wanted)
        response.end(status === 206 || status === 200 ? 'data' : undefined)
      })
      const { response } = await open(gateway, path, { headers: { ...headers, range: 'bytes=0-3' } })
      assert.equal(response.statusCode, status, path)
      for (const [name, value] of Object.entries(wanted)) assert.equal(response.headers[name], value, path)
      response.resume()
    }
    assert.equal(gateway.application.last().headers.range, 'bytes=0-3')
  })

  test('hints before the answer (103) are never taken for it', async (t) => {
    const gateway = await startGateway(t)
    gateway.application.on('/public/hinted', (_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('final'))
    })
    const { response } = await open(gateway, '/public/hinted')
    assert.equal(response.statusCode, 200)
    assert.equal(await textOf(response), 'final')
  })

  test('cookies: ours never reach the application, and it cannot set one of ours', async (t) => {
    const gateway = await startGateway(t)
    const headers = await credentialsOf(gateway)
    const name = headers.cookie!.split('=', 1)[0]!
    gateway.application.on('/cookies', (_request, response) => {
      response
        .writeHead(200, { 'set-cookie': [`${name}=evil; Path=/`, `${name}-login-x=evil`, 'theirs=1; Path=/'] })
        .end()
    })
    const cookie = `a=1; ${headers.cookie}; ${name.toUpperCase()}=x; b=2`
    const { response } = await open(gateway, '/cookies', { headers: { ...headers, cookie } })
    assert.deepEqual(response.headers['set-cookie'], ['theirs=1; Path=/'])
    response.resume()
    assert.equal(gateway.application.last().headers.cookie, 'a=1; b=2')
  })

  test('an application that is down is 502, one that is slow 504: a page for people, JSON for scripts, an id in both', async (t) => {
    const nobody = await freePort()
    const gateway = await startGateway(t, {
      config: ({ application }) => ({
        routes: [
          { path: '/down/*', allow: 'public', upstream: `http://127.0.0.1:${nobody}` },
          { path: '/slow/*', allow: 'public', upstream: { url: application, headersTimeout: '30ms' } },
          { allow: 'public', upstream: application },
        ],
      }),
    })
    gateway.application.on('/slow/x', (request) => void request.resume())
    gateway.application.on('/broken', (request) => void request.socket.end('HTTP/9 what\r\n\r\n'))
    for (const [path, status, words] of [
      ['/down/x', 502, /did not answer/],
      ['/slow/x', 504, /took too long/],
      ['/broken', 502, /not HTTP/],
    ] as const) {
      const page = await gateway.browser().navigate(gateway.origin + path)
      assert.equal(page.status, status)
      assert.match(page.text, words)
      assert.match(page.text, /Request \S+-/)
      assert.doesNotMatch(page.text, new RegExp(`ECONN|127.0.0.1:${nobody}`))
      const script = await gateway.browser().fetch(gateway.origin + path)
      assert.equal(script.status, status)
      assert.ok(gateway.logText().includes(JSON.parse(script.body).request_id))
    }
  })
})

describe('what the application is told', () => {
  test('header templates, basic auth, forwarded headers; prefixes and host as written', async (t) => {
    const gateway = await startGateway(t, {
      users: [
        {
          username: 'zoë',
          password: 'zoë',
          name: 'Zoë',
          email: 'zoe@example.com',
          emailVerified: true,
          groups: ['/a', '/b,c'],
          realmRoles: [],
          clientRoles: {},
          more: { department: 'r&d' },
        },
      ],
      config: ({ application }) => ({
        routes: [
          {
            path: '/app/*',
            allow: 'signedIn',
            upstream: { url: application, stripPrefix: '/app', addPrefix: '/base', host: 'rewrite' },
            headers: {
              'X-Who': '{sub}',
              'X-Dept': 'dept={claim:department}',
              'X-None': 'x{claim:missing}',
              'X-Token': 'Bearer {accessToken}',
              'X-Groups': '{groups}',
            },
            basicAuth: { username: 'gateway', password: { env: 'UPSTREAM_PASSWORD' } },
          },
          { allow: 'signedIn', upstream: application },
        ],
      }),
      environment: { UPSTREAM_PASSWORD: 'pass:wörd' },
    })
    const browser = await signedIn(gateway, 'zoë')
    await browser.fetch(`${gateway.origin}/app/deep/er?q=1`, {
      headers: { 'x-who': 'root', authorization: 'Basic eDp5' },
    })
    const { url, headers } = gateway.application.last()
    assert.equal(url, '/base/deep/er?q=1')
    assert.equal(headers.host, new URL(gateway.application.url).host)
    assert.equal(headers['x-forwarded-host'], new URL(gateway.origin).host)
    assert.match(String(headers['x-who']), /^[\da-f-]{36}$/)
    assert.equal(headers['x-dept'], 'dept=r&d')
    assert.equal(headers['x-none'], undefined)
    assert.match(String(headers['x-token']), /^Bearer \S+$/)
    assert.equal(headers['x-groups'], '/a', 'a group that holds the separator is left out')
    assert.equal(headers.authorization, `Basic ${Buffer.from('gateway:pass:wörd').toString('base64')}`)
    await browser.fetch(`${gateway.origin}/x`)
    assert.equal(gateway.application.last().headers['x-auth-user'], 'zo%C3%AB')
  })

  test('a static answer needs no application', async (t) => {
    const gateway = await startGateway(t, {
      config: {
        routes: [
          { path: '/robots.txt', allow: 'public', respond: { body: 'User-agent: *\nDisallow: /\n' } },
          { allow: 'signedIn', respond: { status: 204 } },
        ],
      },
    })
    const visit = await gateway.browser().fetch(`${gateway.origin}/robots.txt`)
    assert.equal(visit.status, 200)
    assert.equal(visit.body, 'User-agent: *\nDisallow: /\n')
    assert.equal((await gateway.browser().fetch(`${gateway.origin}/x`)).status, 401)
  })
})

describe('methods', () => {
  test('all that Node knows pass; TRACE and CONNECT do not', async (t) => {
    const gateway = await startGateway(t)
    for (const method of ['PROPFIND', 'PURGE', 'REPORT', 'MKCOL', 'LOCK', 'QUERY', 'OPTIONS', 'PATCH', 'HEAD']) {
      const { response } = await open(gateway, '/public/x', { method })
      assert.equal(response.statusCode, 200, method)
      assert.equal(gateway.application.last().method, method)
      response.resume()
    }
    const before = gateway.application.received.length
    const trace = await exchangeBytes(gateway.port, raw('TRACE /public/x', gateway.port))
    assert.equal(statusOf(trace), 405)
    const connect = await exchangeBytes(gateway.port, raw(`CONNECT 127.0.0.1:${gateway.port}`, gateway.port))
    assert.ok(connect.ended !== 'open' && !/^HTTP\/1\.1 2/.test(connect.text), connect.text)
    const star = await exchangeBytes(gateway.port, raw('OPTIONS *', gateway.port))
    assert.equal(statusOf(star), 400)
    assert.equal(gateway.application.received.length, before)
  })
})

const raw = (start: string, port: number): string =>
  `${start} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`
