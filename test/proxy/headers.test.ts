import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GatewayError } from '../../src/core/errors.ts'
import { foldHeaderName } from '../../src/core/header-name.ts'
import { createHeaderNames, isImpersonation } from '../../src/proxy/header-names.ts'
import { requestHeaders } from '../../src/proxy/request-headers.ts'
import { responseHeaders } from '../../src/proxy/response-headers.ts'
import { publicAddress, upstreamPath } from '../../src/proxy/upstream-path.ts'
import { corpus } from '../support/corpus.ts'

const names = createHeaderNames(['X-Auth-User', 'X-Department', 'Authorization'])
const rules = {
  names,
  host: 'app.example.com',
  cookie: undefined,
  forwarded: { for: '203.0.113.7', host: 'app.example.com', proto: 'https', port: '443' },
  identity: ['X-Auth-User', 'alice'],
  forwardAuthorization: false,
} as const

/** What the gateway alone adds; whatever else an upstream sees came from the client. */
const ours = requestHeaders([], rules)
const sent = (...raw: string[]) => requestHeaders(raw, rules)
const fromClient = (...raw: string[]) => {
  const all = sent(...raw)
  assert.deepEqual([...all.slice(0, 2), ...all.slice(-(ours.length - 2))], ours)
  return all.slice(2, all.length - ours.length + 2)
}

describe('header names', () => {
  test('are folded to the one spelling that careless upstreams read', () => {
    assert.equal(foldHeaderName('X_Forwarded.User'), 'x-forwarded-user')
  })

  for (const name of [
    'X-Department',
    'x_department',
    'X.DEPARTMENT',
    'HTTP_X_DEPARTMENT',
    'Http-Http-X-Department',
    'X-Department_',
  ]) {
    test(`${name} is managed because X-Department is configured`, () => assert.ok(names.isManaged(name)))
  }

  for (const name of [
    'Accept',
    'X-Request-Id',
    'User-Agent',
    'X-Auth-Token',
    'X-Requested-With',
    'X-CSRF-Token',
    'X-User-Agent',
    'X-Health-Check',
  ]) {
    test(`${name} passes`, () => assert.deepEqual(fromClient(name, 'x'), [name, 'x']))
  }

  test('a flood of invented names does not grow the memo without bound', () => {
    const flooded = createHeaderNames([])
    for (let i = 0; i < 10_000; i++) flooded.kindOf(`x-${i}`)
    assert.equal(flooded.kindOf('Remote_User'), 'managed')
  })

  test('one name as long as a whole head does not hold up the process', () => {
    const began = performance.now()
    for (const name of ['-', '_', '.', 'http-', 'x-', 'a'].map((part) => `x${part.repeat(30_000 / part.length)}a`)) {
      assert.equal(names.kindOf(name), 'ordinary')
      assert.equal(isImpersonation(`impersonate${name}`), false)
    }
    // Half a minute where trailing dashes are looked for from each of them.
    assert.ok(performance.now() - began < 1000)
  })
})

/** The names of the corpus that are no claim of identity and no word of a proxy, and so pass. */
const passes = new Set(['User-Agent', 'X-Health-Check', 'X-Request-Id'])

describe('headerSmuggling', () => {
  for (const { name, value, also = [] } of corpus.headerSmuggling) {
    test(`${JSON.stringify(name)}: ${JSON.stringify(value).slice(0, 40)}`, () => {
      const left = fromClient(...[{ name, value }, ...also].flatMap((line) => [line.name, line.value]))
      if (passes.has(name)) assert.deepEqual(left, [name, value])
      else if (name === 'Sec-WebSocket-Protocol') assert.deepEqual(left, [name, 'v1'])
      // Names that no HTTP parser accepts never get here; see request-smuggling.test.ts.
      else if (/^[\w.-]+$/.test(name)) assert.deepEqual(left, [])
    })
  }
})

describe('request headers', () => {
  test('what Connection nominates goes, what we add stays', () => {
    assert.deepEqual(
      fromClient('X-Keep', '1', 'X-Secret', '2', 'Connection', 'close, X-Secret, X-Auth-User, Forwarded'),
      ['X-Keep', '1'],
    )
  })

  test('framing and Host cannot be nominated away', () => {
    assert.deepEqual(fromClient('Content-Length', '5', 'Connection', 'Content-Length, Host'), ['Content-Length', '5'])
  })

  test('repeated headers keep their order and their spelling', () => {
    assert.deepEqual(fromClient('ACCEPT', 'a', 'Via', 'x', 'accept', 'b'), ['ACCEPT', 'a', 'Via', 'x', 'accept', 'b'])
  })

  test('the address of an IPv6 client is quoted, and so is a host with a port', () => {
    const forwarded = { for: '2001:db8::1', host: 'a.example:8443', proto: 'https', port: '8443' } as const
    assert.equal(
      requestHeaders([], { ...rules, forwarded }).at(-3),
      'for="[2001:db8::1]";host="a.example:8443";proto=https',
    )
  })

  test('the prefix is the one of the file', () => {
    const forwarded = { ...rules.forwarded, prefix: '/app' }
    const passed = requestHeaders(['X-Forwarded-Prefix', '//evil.example'], { ...rules, forwarded })
    assert.deepEqual(
      passed.filter((_, index) => passed[index - 1] === 'X-Forwarded-Prefix'),
      ['/app'],
    )
  })

  test('a host cannot break out of Forwarded', () => {
    const forwarded = { ...rules.forwarded, host: 'a";for=10.0.0.1;x="' }
    assert.equal(
      requestHeaders([], { ...rules, forwarded }).at(-3),
      'for=203.0.113.7;host="a\\";for=10.0.0.1;x=\\"";proto=https',
    )
  })

  test('Authorization passes only where the route says so, and only the first', () => {
    const raw = ['Authorization', 'Bearer a', 'authorization', 'Bearer b']
    assert.deepEqual(fromClient(...raw), [])
    const passed = requestHeaders(raw, { ...rules, forwardAuthorization: true })
    assert.deepEqual(
      passed.filter((text) => text.startsWith('Bearer')),
      ['Bearer a'],
    )
  })

  test('basic credentials for the upstream replace whatever the client sent', () => {
    const passed = requestHeaders(['Authorization', 'Bearer a'], {
      ...rules,
      forwardAuthorization: true,
      authorization: 'Basic eDp5',
    })
    assert.ok(passed.includes('Basic eDp5') && !passed.includes('Bearer a'))
  })

  test('only the filtered Cookie is sent', () => {
    const passed = requestHeaders(['Cookie', 'own=1; a=2', 'Cookie', 'b=3'], { ...rules, cookie: 'a=2' })
    assert.equal(passed[passed.indexOf('Cookie') + 1], 'a=2')
    assert.equal(passed.filter((text) => text === 'Cookie').length, 1)
  })
})

describe('response headers', () => {
  const answer = {
    isOwnCookie: (name: string) => name.toLowerCase() === 'dw-1',
    setCookies: [],
    publicAddress: undefined,
  }
  const received = (headers: Record<string, string | string[]>, changes = {}) =>
    responseHeaders(200, headers, { ...answer, ...changes })

  test('hop-by-hop and nominated headers go', () => {
    const headers = {
      connection: 'X-Secret, close',
      'x-secret': '1',
      'keep-alive': 'timeout=5',
      'proxy-authenticate': 'Basic',
      trailer: 'x',
      upgrade: 'h2c',
      'transfer-encoding': 'chunked',
      'x-kept': '1',
    }
    assert.deepEqual(received(headers), ['x-kept', '1'])
  })

  for (const cookie of ['dw-1=evil; Path=/', 'DW-1=evil; Domain=example.com', ' dw-1 =x', '=dw-1=nameless', 'dw-1']) {
    test(`Set-Cookie ${cookie} is dropped, others stay`, () => {
      assert.deepEqual(received({ 'set-cookie': ['a=1', cookie, 'b=dw-1'] }), [
        'set-cookie',
        'a=1',
        'set-cookie',
        'b=dw-1',
      ])
      assert.deepEqual(received({ 'set-cookie': cookie }), [])
    })
  }

  test('our cookies bring no-store with them', () => {
    assert.deepEqual(received({ 'cache-control': 'public' }, { setCookies: ['dw-1=new'] }), [
      'set-cookie',
      'dw-1=new',
      'cache-control',
      'no-store',
    ])
  })

  test('end-to-end headers pass untouched: challenges, CORS, validators, Retry-After', () => {
    const headers = {
      'www-authenticate': 'Basic',
      'access-control-allow-origin': '*',
      etag: '"x"',
      'retry-after': '3',
      'content-encoding': 'gzip',
    }
    assert.deepEqual(received(headers), Object.entries(headers).flat())
  })
})

describe('paths', () => {
  const rewrite = { stripPrefix: '/app', addPrefix: '/base/' }

  test('prefixes are taken off and put on', () => {
    assert.equal(upstreamPath('/app/x', rewrite), '/base/x')
    assert.equal(upstreamPath('/app', rewrite), '/base/')
    assert.equal(upstreamPath('/APP/x', rewrite), '/base/x')
    assert.equal(upstreamPath('/application', rewrite), '/base/application')
    assert.equal(upstreamPath('/app/x', { stripPrefix: '/app', addPrefix: '' }), '/x')
  })

  test('what rewriting makes ambiguous is refused', () => {
    for (const path of ['/app/..', '/app/%2e%2e/x', '/app//x', '/app/;x']) {
      assert.throws(
        () => upstreamPath(path, rewrite),
        (error) => error instanceof GatewayError && error.code === 'ambiguous_path',
        path,
      )
    }
  })

  test('an address of the upstream becomes the public one; others pass', () => {
    const back = (address: string) => publicAddress(address, 'http://10.0.0.7:3000', 'https://app.example.com', rewrite)
    assert.equal(back('http://10.0.0.7:3000/base/x?y#z'), 'https://app.example.com/app/x?y#z')
    assert.equal(back('http://10.0.0.7:3000'), 'https://app.example.com/app/')
    assert.equal(back('http://10.0.0.7:30001/x'), 'http://10.0.0.7:30001/x')
    assert.equal(back('http://10.0.0.7:3000@evil.example/'), 'http://10.0.0.7:3000@evil.example/')
    assert.equal(back('https://elsewhere.example/'), 'https://elsewhere.example/')
    assert.equal(back('/relative'), '/relative')
  })
})
