import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safeReturnTo } from '../../src/core/urls.ts'
import { corpus } from '../support/corpus.ts'

const rules = { origins: ['https://app.example.com'], basePath: '/_doorward' }

test('openRedirect: none of these is ever a place to return to', () => {
  const followed = corpus.openRedirect.filter((value) => safeReturnTo(value, rules) !== undefined)
  assert.deepEqual(followed, [])
})

test('openRedirectAllowed: the same path, query and fragment come back, re-serialised', () => {
  for (const value of corpus.openRedirectAllowed) {
    const url = safeReturnTo(value, rules)
    assert.ok(url !== undefined, value)
    const rest = value.replace(/^https:\/\/app\.example\.com(?::443)?/i, '')
    assert.equal(url.href, `https://app.example.com${rest.startsWith('/') ? rest : `/${rest}`}`)
  }
})

test('openRedirectSelf: our own pages are no place to return to, or a link could sign people out', () => {
  const followed = corpus.openRedirectSelf.filter(
    (value) => safeReturnTo(value.replace('{AUTH}', rules.basePath), rules) !== undefined,
  )
  assert.deepEqual(followed, [])
})

test('several origins: each to the letter, ports included', () => {
  const two = { ...rules, origins: ['https://a.example.com', 'https://b.example.com:8443'] }
  assert.equal(safeReturnTo('https://b.example.com:8443/x', two)?.href, 'https://b.example.com:8443/x')
  assert.equal(safeReturnTo('/x', two)?.href, 'https://a.example.com/x')
  assert.equal(safeReturnTo('https://b.example.com/x', two), undefined)
  assert.equal(safeReturnTo('http://a.example.com/x', two), undefined)
})
