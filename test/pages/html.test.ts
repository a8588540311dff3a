import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Colour, contrast, readColour, textOn, visibleOn, white } from '../../src/http/pages/colour.ts'
import { contentSecurityPolicy, pageHeaders } from '../../src/http/pages/headers.ts'
import { html } from '../../src/http/pages/html.ts'
import { paintedBrand, plainBrand, samplePages } from './samples.ts'

const attacks = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '` onfocus=`alert(1)',
  '</title></style></textarea><svg onload=alert(1)>',
  '&lt;script&gt;',
  '<!--',
  '{{constructor.constructor("alert(1)")()}}',
  '\u202Egnp.exe <b>',
  '\uD800<i>',
]

test('text is escaped in elements and in quoted attributes', () => {
  for (const attack of attacks) {
    const page = String(html`<p title="${attack}">${attack}</p>`)
    assert.match(page, /^<p title="[^"<>'`]*">[^<>"'`]*<\/p>$/, attack)
  }
  assert.equal(String(html`${'a&b'}`), 'a&amp;b')
})

test('nested html passes, lists join, nothing stays nothing', () => {
  const items = ['<a>', 'b'].map((text) => html`<li>${text}</li>`)
  assert.equal(String(html`<ul>${items}${undefined}${false}${0}</ul>`), '<ul><li>&lt;a&gt;</li><li>b</li>0</ul>')
})

test('what merely looks like html is text', () => {
  const forged = { toString: () => '<script>' } as unknown as string
  assert.throws(() => html`${forged}`)
})

test('a value in an attribute without quotes is a mistake of ours', () => {
  assert.throws(() => html`<p title=${'x onclick=alert(1)'}>`, TypeError)
})

test('an address is on the web, ours, or nothing', () => {
  const refused = ['javascript:alert(1)', ' javascript:alert(1)', 'java\tscript:alert(1)', 'JaVaScRiPt:1', 'vbscript:1']
  refused.push('data:text/html,<script>', '//evil.example', '/\\evil.example', '/\t/evil.example', 'ftp://x', '')
  for (const address of refused) assert.equal(String(html`<a href="${address}">`), '<a href="#">', address)
  for (const address of ['/a?b=1', 'https://id.example/x', '?again', '#top']) {
    assert.equal(String(html`<a href="${address}">`), `<a href="${address}">`)
  }
})

test('nasty names stay text on every page', () => {
  for (const attack of attacks) {
    const brand = { ...plainBrand, name: attack, contact: attack, logo: attack, color: attack, background: attack }
    const calm = samplePages({ ...plainBrand, contact: 'x', logo: 'x' }, 'x')
    for (const [name, page] of Object.entries(samplePages(brand, attack))) {
      const shape = (text: string) => text.match(/<[^>]*>/g)!.map((tag) => tag.replaceAll(/"[^"]*"/g, '""'))
      assert.deepEqual(shape(String(page)), shape(String(calm[name])), `${name}: ${attack}`)
    }
  }
})

test('every page has one h1, a language, a title, landmarks, and no script', () => {
  for (const [name, page] of Object.entries(samplePages(paintedBrand))) {
    const text = String(page)
    assert.equal(text.match(/<h1>/g)?.length, 1, name)
    assert.match(
      text,
      /<html lang="en">[\s\S]*<title>.+ · Lighthouse Analytics<\/title>[\s\S]*<header>[\s\S]*<main>/,
      name,
    )
    assert.doesNotMatch(text, /<script|\son\w+=|\sstyle=|url\(|@import/i, name)
  }
})

test('the policy names the hash of the style that is sent, and allows nothing else', () => {
  for (const brand of [plainBrand, paintedBrand]) {
    const page = String(samplePages(brand).forbidden)
    const sheet = /<style>([\s\S]*)<\/style>/.exec(page)![1]!
    const policy = pageHeaders({ brand, scheme: 'https', formAction: ['https://id.example'] })[
      'content-security-policy'
    ]
    const styleHash = `sha256-${createHash('sha256').update(sheet).digest('base64')}`
    assert.equal(policy, contentSecurityPolicy({ styleHash, formAction: ['https://id.example'] }))
    assert.match(policy!, /^default-src 'none'; .*form-action 'self' https:\/\/id\.example; base-uri 'none'/)
  }
})

test('pages are not stored, not framed, not sniffed; HSTS belongs to https', () => {
  const headers = pageHeaders({ brand: plainBrand, scheme: 'http' })
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(headers['x-frame-options'], 'DENY')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['strict-transport-security'], undefined)
  assert.ok(pageHeaders({ brand: plainBrand, scheme: 'https' })['strict-transport-security'])
})

test('whatever the colour, text on it and the control itself stay readable', () => {
  for (let red = 0; red <= 255; red += 51)
    for (let green = 0; green <= 255; green += 51)
      for (let blue = 0; blue <= 255; blue += 51)
        for (const surface of [white, [27, 31, 37] as Colour]) {
          const shown = visibleOn([red, green, blue], surface)
          assert.ok(contrast(shown, surface) >= 3 && contrast(shown, textOn(shown)) >= 4.5, `${red} ${green} ${blue}`)
        }
  assert.deepEqual(readColour('#0af'), [0, 170, 255])
  assert.deepEqual(readColour('rgb(1, 2, 3)'), [1, 2, 3])
  assert.deepEqual(readColour('hsl(120 100% 25%)'), [0, 128, 0])
  assert.equal(readColour('red;} body{display:none'), undefined)
})
