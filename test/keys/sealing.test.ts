import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from '../../src/core/secret.ts'
import { createSealingKeys } from '../../src/keys/sealing.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const first = new Secret('0123456789abcdef0123456789abcdef')
const second = new Secret('fedcba9876543210fedcba9876543210')
const keys = createSealingKeys([first])
const text = Buffer.from('who is asking')
const nonceOf = (sealed: string): string => Buffer.from(sealed, 'base64url').toString('latin1', 5, 17)

test('what was sealed opens under the same purpose and context, and nowhere else', () => {
  const sealed = keys.seal('session', 'cookie', text)
  assert.deepEqual(keys.open('session', 'cookie', sealed), { bytes: text, stale: false })
  assert.equal(keys.open('login', 'cookie', sealed), undefined)
  assert.equal(keys.open('session', 'other cookie', sealed), undefined)
  assert.equal(createSealingKeys([second]).open('session', 'cookie', sealed), undefined)
})

test('every change of every character is refused', () => {
  const sealed = keys.seal('session', 'cookie', text)
  for (let at = 0; at < sealed.length; at++) {
    for (const letter of alphabet) {
      if (letter === sealed[at]) continue
      const forged = sealed.slice(0, at) + letter + sealed.slice(at + 1)
      assert.equal(keys.open('session', 'cookie', forged), undefined, `character ${at} became ${letter}`)
    }
  }
})

test('one value has one spelling, and foreign input never throws', () => {
  const sealed = keys.seal('session', 'cookie', Buffer.from('12'))
  const lengths = Array.from({ length: sealed.length }, (_, length) => sealed.slice(0, length))
  const standard = sealed.replaceAll('-', '+').replaceAll('_', '/')
  const odd = [
    `${sealed}=`,
    `${sealed}A`,
    `${sealed} `,
    ` ${sealed}`,
    `"${sealed}"`,
    sealed + sealed,
    `${sealed}\n`,
    'ü',
  ]
  if (standard !== sealed) odd.push(standard)
  for (const forged of [...lengths, ...odd, 'A'.repeat(2_000_000), '\0', '....']) {
    assert.equal(keys.open('session', 'cookie', forged), undefined)
  }
})

test('rotation: the first seals, all open, the removed one is forgotten', () => {
  const old = keys.seal('session', 'cookie', text)
  const rotated = createSealingKeys([second, first])
  assert.deepEqual(rotated.open('session', 'cookie', old), { bytes: text, stale: true })
  assert.equal(rotated.open('session', 'cookie', rotated.seal('session', 'cookie', text))?.stale, false)
  assert.equal(createSealingKeys([second]).open('session', 'cookie', old), undefined)
})

test('the trimmed text of a secret is the key: a trailing newline of a file changes nothing', () => {
  const fromFile = createSealingKeys([new Secret(`${first.reveal()}\n`)])
  assert.ok(fromFile.open('session', 'cookie', keys.seal('session', 'cookie', text)))
  assert.deepEqual(fromFile.fingerprint(), keys.fingerprint())
})

test('macs: bound to purpose and text, valid across rotation, not below twelve bytes', () => {
  const mac = keys.mac('state', 'text')
  const rotated = createSealingKeys([second, first])
  assert.ok(rotated.isMac('state', 'text', mac))
  assert.ok(rotated.isMac('state', 'text', mac.subarray(0, 12)))
  assert.ok(!rotated.isMac('state', 'text', mac.subarray(0, 11)))
  assert.ok(!rotated.isMac('state', 'text', Buffer.alloc(0)))
  assert.ok(!rotated.isMac('state', 'other', mac))
  assert.ok(!rotated.isMac('form', 'text', mac))
})

test('a fingerprint tells secrets apart and shows none of them', () => {
  const [one, two] = createSealingKeys([first, second]).fingerprint()
  assert.match(one!.keyId, /^[0-9a-f]{8}$/)
  assert.notEqual(one!.keyId, two!.keyId)
  assert.ok(!inspect(keys, { depth: 9, showHidden: true }).includes(first.reveal()))
})

test('10^5 sealed texts have 10^5 nonces', () => {
  const nonces = new Set<string>()
  for (let n = 0; n < 100_000; n++) nonces.add(nonceOf(keys.seal('session', 'cookie', Buffer.of(1))))
  assert.equal(nonces.size, 100_000)
})

test('without a secret nothing is sealed', () => {
  assert.throws(() => createSealingKeys([]), /at least one secret/)
})
