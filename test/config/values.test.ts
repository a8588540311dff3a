// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax under test
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interpolate } from '../../src/config/interpolate.ts'
import { parseByteSize, parseDuration } from '../../src/config/quantities.ts'
import { quoted, Refused } from '../../src/config/refused.ts'
import { parseAnchored } from '../../src/config/schema-requirements.ts'
import { editDistance, nearest } from '../../src/config/spelling.ts'
import { parseTemplate } from '../../src/config/templates.ts'

test('durations and sizes need a unit, and know what they mean', () => {
  const durations = { '500ms': 500, '90s': 90_000, '1h30m': 5_400_000, '7d': 604_800_000, '0s': 0, 0: 0 }
  for (const [text, wanted] of Object.entries(durations)) assert.equal(parseDuration(text), wanted, text)
  for (const text of ['90', '', '1.5h', '-1s', '1 h', '1h1h', '30m1h', '1y', '9999d', 'h', '1H']) {
    assert.ok(parseDuration(text) instanceof Refused, text)
  }
  const sizes = { '512B': 512, '64KiB': 65_536, '10MiB': 10_485_760, '1GB': 1e9, '0': 0 }
  for (const [text, wanted] of Object.entries(sizes)) assert.equal(parseByteSize(text), wanted, text)
  for (const text of ['10', '10Mi', '10 M', '1TiB', '-1B', '1.5MiB'])
    assert.ok(parseByteSize(text) instanceof Refused, text)
})

test('a mistyped address does not show its password', () => {
  assert.equal(quoted('ftp://me:pa/ss@host/x'), '"ftp://...@host/x"')
})

test('slips find their word, strangers do not', () => {
  const keys = ['clientId', 'clientSecret', 'issuer', 'internalUrl']
  const slips = {
    client_id: 'clientId',
    ClientID: 'clientId',
    isuer: 'issuer',
    issure: 'issuer',
    internalURL: 'internalUrl',
  }
  for (const [slip, wanted] of Object.entries(slips)) assert.equal(nearest(slip, keys), wanted, slip)
  for (const stranger of ['redis', 'x', 'upstream']) assert.equal(nearest(stranger, keys), undefined, stranger)
  assert.equal(editDistance('issure', 'issuer'), 1)
  assert.equal(editDistance('', 'abc'), 3)
})

test('an alternation in a claim pattern stays inside its anchors', () => {
  const pattern = parseAnchored('^admin|ops$')
  assert.ok(pattern instanceof RegExp)
  assert.equal(pattern.test('admin'), true)
  assert.equal(pattern.test('admin-but-not-really'), false)
  assert.equal(pattern.test('not-ops'), false)
  for (const open of ['admin', '^admin', 'admin$', '^admin\\$', '^a\n$b'])
    assert.ok(parseAnchored(open) instanceof Refused, open)
})

test('interpolation replaces, defaults, escapes and refuses', () => {
  const env = { NAME: 'value', EMPTY: '' }
  const read = (text: string) => interpolate(text, env)
  assert.equal(read('a ${NAME} b ${NAME}').text, 'a value b value')
  assert.equal(read('${MISSING:-}|${EMPTY:-x}').text, '|x')
  assert.equal(read('$${NAME}').text, '${NAME}')
  assert.equal(read('costs $5, a$b').refused.length, 0)
  for (const text of ['${MISSING}', '${EMPTY}', '${a.b}', '${}', '$name', '$name:key', ' $argocd:oidc.secret ']) {
    assert.equal(read(text).refused.length, 1, text)
  }
  assert.equal(interpolate('${NAME}', { NAME: '$vault:key' }).refused.length, 1)
})

test('templates read fields, claims and literal braces', () => {
  assert.deepEqual(parseTemplate('Bearer {accessToken}'), [{ kind: 'text', text: 'Bearer ' }, { kind: 'accessToken' }])
  assert.deepEqual(parseTemplate('{claim:https://example.com/team}'), [
    { kind: 'claim', claim: 'https://example.com/team' },
  ])
  assert.deepEqual(parseTemplate('{{x}}'), [{ kind: 'text', text: '{x}' }])
  for (const wrong of ['{', '}', '{sub', '{claim:}', '{Sub}', 'a\r\nX-Admin: 1'])
    assert.ok(parseTemplate(wrong) instanceof Refused, wrong)
})
