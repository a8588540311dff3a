import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCookieJar } from '../support/cookie-jar.ts'

const https = new URL('https://app.example.com/a/b')
const http = new URL('http://app.example.com/')
const loopback = new URL('http://127.0.0.1:4180/')
const crossSite = { crossSite: true, laxNavigation: false }

test('the jar refuses what Chromium refuses', () => {
  const refused: [URL, string][] = [
    [http, 'a=1; Secure'],
    [https, '__Host-a=1; Secure; Path=/x'],
    [https, '__Host-a=1; Secure; Path=/; Domain=example.com'],
    [https, '__Host-a=1; Path=/'],
    [https, '__Secure-a=1'],
    [https, '__Host-Http-a=1; Secure; Path=/'],
    [https, 'a=1; Domain=other.example'],
    [https, 'a=1; SameSite=None'],
    [https, `a=${'x'.repeat(4096)}`],
    [https, 'a=\u0001'],
  ]
  for (const [url, header] of refused) assert.ok(createCookieJar().set(url, header), header.slice(0, 60))
  for (const header of ['a=1; Secure', '__Host-Http-a=1; Secure; HttpOnly; Path=/']) {
    assert.equal(createCookieJar().set(loopback, header), undefined, 'loopback is trustworthy')
  }
})

test('path, domain, Secure and SameSite decide what goes along', () => {
  const jar = createCookieJar()
  jar.set(https, 'root=1; Path=/')
  jar.set(https, 'deep=2; Path=/a')
  jar.set(https, 'shared=3; Path=/; Domain=example.com; Secure')
  jar.set(https, 'strict=4; Path=/; SameSite=Strict')
  assert.equal(jar.header(https), 'deep=2; root=1; shared=3; strict=4')
  assert.equal(jar.header(new URL('https://other.example.com/a')), 'shared=3')
  assert.equal(jar.header(new URL('http://app.example.com/abc')), 'root=1; strict=4')
  assert.equal(jar.header(https, { crossSite: true, laxNavigation: true }), 'deep=2; root=1; shared=3')
  assert.equal(jar.header(https, crossSite), undefined)
  assert.ok(jar.set(https, 'a=1', crossSite), 'a cross-site subresource sets nothing Lax')
})

test('Max-Age and Expires end a cookie, by the clock that was given', () => {
  let now = 1_000_000
  const jar = createCookieJar(() => now)
  jar.set(https, 'short=1; Max-Age=10')
  jar.set(https, 'gone=1')
  jar.set(https, 'gone=; Expires=Thu, 01 Jan 1970 00:00:00 GMT')
  assert.equal(jar.header(https), 'short=1')
  now += 10_001
  assert.equal(jar.header(https), undefined)
})
