/** Patterns over claims that people may choose: neither a long text nor a clever one stops the process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasNestedQuantifier } from '../../src/config/claim-pattern.ts'
import { mostMatched } from '../../src/policy/bounded-match.ts'
import { compileRequirements, unmetOf } from '../../src/policy/requirements.ts'
import { person } from './fixtures.ts'

const context = { now: 0, clientAddress: '192.0.2.1' }
const endless = `${'a'.repeat(60)}!`

function passes(matches: RegExp, value: unknown, negated = false): boolean {
  const requirements = { claims: [{ claim: 'x', matches }] }
  const checks = compileRequirements(negated ? { not: requirements } : requirements)
  return unmetOf(checks, person({ claims: { x: value } }), context).length === 0
}

for (const pattern of [/^(a+)+$/u, /^(?:a|a)*$/u, /^(?:a?){60}a{60}$/u]) {
  test(`${pattern} is given up in time, also for a list, and lets nobody in`, { timeout: 10_000 }, () => {
    const began = performance.now()
    assert.equal(passes(pattern, endless), false)
    const many = Array.from({ length: 50 }, (_, index) => `${endless}${index}`)
    assert.equal(passes(pattern, many), false)
    assert.ok(performance.now() - began < 5_000, `${performance.now() - began} ms`)
  })
}

test('what takes too long is tried once', () => {
  const checks = compileRequirements({ claims: [{ claim: 'x', matches: /^(a+)+$/u }] })
  const who = person({ claims: { x: endless } })
  unmetOf(checks, who, context)
  const began = performance.now()
  for (let round = 0; round < 20; round++) unmetOf(checks, who, context)
  assert.ok(performance.now() - began < 150)
})

test('a text beyond the bound is not judged: it neither matches nor slips past a `not`', () => {
  const most = 'a'.repeat(mostMatched)
  assert.equal(passes(/^a+$/u, most), true)
  assert.equal(passes(/^a+$/u, `${most}a`), false)
  assert.equal(passes(/^b+$/u, most, true), true)
  assert.equal(passes(/^b+$/u, `${most}a`, true), false)
  assert.equal(passes(/^(a+)+$/u, endless, true), false, 'nor does one that takes too long')
  assert.equal(passes(/^b$/u, [`${most}a`, 'b']), true, 'and it does not spoil the others of its list')
})

test('nested quantifiers are known, and what only looks like them is not', () => {
  for (const nested of [
    '^(a+)+$',
    '^(?:[a-z]*-)*x$',
    '^((a|b+)c?)*$',
    '^(?<n>x{2,})+$',
    '^(a(b(c+)))*$',
    '^((a)+b){3,}$',
  ])
    assert.ok(hasNestedQuantifier(nested), nested)
  for (const flat of [
    '^[a-z]+$',
    '^(?:eng|ops)+-[0-9]*$',
    '^(?:a+b)?$',
    '^\\(a+\\)+$',
    '^[(a+)]+$',
    '^(a{3}b)+$',
    '^(a+)(b+)$',
    '^(?:[+*])+$',
    '^(?:\\+)+$',
    '^\\p{L}+$',
  ])
    assert.ok(!hasNestedQuantifier(flat), flat)
})
