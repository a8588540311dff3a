import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/errors.ts'
import { normaliseHost, readPath } from '../../src/core/target.ts'
import { corpus } from '../support/corpus.ts'

const ambiguous = (raw: string) => {
  try {
    readPath(raw)
    return false
  } catch (error) {
    assert.ok(error instanceof GatewayError && error.code === 'ambiguous_path')
    return true
  }
}

/** What careless upstreams do to a path before they look at it, one at a time (corpus `_meta.use.pathBypass`). */
const readings: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll(/\/+/g, '/'),
  (path) => new URL(path.replaceAll('\\', '/').replace(/^\/+/, '/'), 'http://x').pathname,
  (path) => path.toLowerCase(),
  (path) => path.split('\0')[0]!,
  (path) => path.split('#')[0]!,
  (path) => path.split('?')[0]!,
]
const decode = (path: string) =>
  path.replaceAll(/%[\da-f]{2}/gi, (hex) => String.fromCharCode(Number.parseInt(hex.slice(1), 16)))

test('pathBypass: what counts as public stays public however often an upstream reads it', () => {
  for (const raw of corpus.pathBypass) {
    if (ambiguous(raw)) continue
    const { path, query, decodedPath, encodedSlash } = readPath(raw)
    const isPublic =
      !encodedSlash && (decodedPath === '/health' || decodedPath === '/public' || decodedPath.startsWith('/public/'))
    if (!isPublic) continue
    for (let rounds = 0, seen = path + query; rounds <= 3; rounds++, seen = decode(seen)) {
      for (const read of readings) {
        assert.match(read(seen), /^\/(?:health|public)(?:[/?#]|$)/, `${raw} read as ${read(seen)}`)
      }
    }
  }
})

test('one spelling of an unreserved character reaches the rule and the upstream', () => {
  assert.equal(readPath('/%61dmin').path, '/admin')
  assert.equal(readPath('/r%c3%a9sum%C3%A9').path, '/r%C3%A9sum%C3%A9')
  assert.equal(readPath('/r%c3%a9').decodedPath, '/ré')
  assert.deepEqual(readPath('/a?b=%61'), { path: '/a', decodedPath: '/a', query: '?b=%61', encodedSlash: false })
})

test('an encoded slash is marked, in any layer, and kept as it is', () => {
  for (const raw of ['/a%2Fb', '/a%2fb', '/a%252fb']) assert.ok(readPath(raw).encodedSlash, raw)
  assert.equal(readPath('/a%2fb').path, '/a%2Fb')
  assert.equal(readPath('/a%2fb').decodedPath, '/a%2Fb')
})

test('two readings are refused', () => {
  const refused = [
    '/a/../b',
    '/a//b',
    '/a;b',
    '/a\\b',
    '/a#b',
    '/%00',
    '/a/..',
    '/a/..%3fb',
    '/a/.%2e%23b',
    '/.',
    '/%zz',
    '/%ff',
    '',
    '*',
    '/a b',
    '/é',
  ]
  for (const raw of refused) assert.ok(ambiguous(raw), JSON.stringify(raw))
  for (const raw of ['/?/../admin', '/?/%2e%2e/admin', '/a?x#y']) assert.ok(ambiguous(raw), raw)
  for (const raw of ['/?%2f..%2fadmin', '/?\\..\\admin', '/?%5c%2e%2e/admin', '/?%252f..%252fadmin'])
    assert.ok(ambiguous(raw), raw)
})

test('ordinary paths pass as they are', () => {
  const plain = [
    '/',
    '/a/b.html',
    '/.well-known/x',
    '/...slug',
    '/~user/',
    '/100%25',
    "/a+b/(c)!$&'*=~",
    '/a@b',
    '/x?q=../y',
    '/x?%2Fa%2Fb.c',
    '/x?%20a/../b',
    '/x?%',
    '/C%23.pdf',
  ]
  for (const raw of plain) assert.equal(readPath(raw).path + readPath(raw).query, raw)
})

test('hosts: case and the default port do not matter, everything else does', () => {
  assert.equal(normaliseHost('APP.Example.com:443', 'https'), 'app.example.com')
  assert.equal(normaliseHost('app.example.com:443', 'http'), 'app.example.com:443')
  assert.equal(normaliseHost('[::1]:8080', 'http'), '[::1]:8080')
  const known = new Set(['app.example.com'])
  for (const value of corpus.forwardedHost) {
    const host = normaliseHost(value, 'https')
    const isOurs = host !== undefined && known.has(host)
    assert.equal(isOurs, value === 'APP.EXAMPLE.COM', JSON.stringify(value))
  }
})
