/** Keys that sign for applications: the same on every replica, another one each day, and never a gap for a verifier. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose'
import { Secret } from '../../src/core/secret.ts'
import { type AssertionKeys, deriveAssertionKeys, fixedAssertionKeys } from '../../src/keys/assertion-keys.ts'
import { movableClock } from '../contracts/key-value.ts'

const [one, two] = ['a secret of more than thirty-two letters', 'another secret of thirty-two letters']
const setOf = (keys: AssertionKeys) => createLocalJWKSet({ keys: keys.publicKeys().map((key) => ({ ...key })) })
const kidOf = (jwt: string): string => JSON.parse(Buffer.from(jwt.split('.')[0]!, 'base64url').toString()).kid
const day = 24 * 3_600_000
const ignoreTime = { currentDate: new Date(0) }

test('replicas with one secret make the same keys; another secret makes others', async () => {
  const clock = movableClock()
  const [here, there] = [
    deriveAssertionKeys([new Secret(one!)], clock),
    deriveAssertionKeys([new Secret(` ${one}\n`)], clock),
  ]
  const { payload, protectedHeader } = await jwtVerify(here.sign({ sub: 'ada' }), setOf(there), ignoreTime)
  assert.deepEqual([payload, protectedHeader.alg, protectedHeader.typ], [{ sub: 'ada' }, 'ES256', 'JWT'])
  const stranger = deriveAssertionKeys([new Secret(two!)], clock)
  await assert.rejects(jwtVerify(here.sign({}), setOf(stranger), ignoreTime))
  for (const key of here.publicKeys()) {
    assert.equal(key.kid, await calculateJwkThumbprint({ ...key }))
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], 'no private member')
  }
})

test('a key signs for a day; whoever read the keys up to a day ago can verify what is signed now', async () => {
  const clock = movableClock()
  const keys = deriveAssertionKeys([new Secret(one!)], clock)
  let kept = setOf(keys)
  const kids = new Set<string>()
  for (let index = 0; index < 5; index++) {
    const jwt = keys.sign({ index })
    kids.add(kidOf(jwt))
    await jwtVerify(jwt, kept, ignoreTime)
    kept = setOf(keys)
    clock.advance(day)
  }
  assert.equal(kids.size, 5)
  assert.equal(keys.publicKeys().length, 3)
})

test('while the secret rotates, both are published and the new one signs', async () => {
  const clock = movableClock()
  const [old, both] = [
    deriveAssertionKeys([new Secret(one!)], clock),
    deriveAssertionKeys([new Secret(two!), new Secret(one!)], clock),
  ]
  await jwtVerify(old.sign({}), setOf(both), ignoreTime)
  await assert.rejects(jwtVerify(both.sign({}), setOf(old), ignoreTime))
})

test('keys of files: the first signs, all are published; another curve is refused without showing the key', async () => {
  const pem = (curve: string) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
    return new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  }
  const [first, second] = [pem('P-256'), pem('P-256')]
  const keys = fixedAssertionKeys([first, second])
  assert.equal(kidOf(keys.sign({})), keys.publicKeys()[0]?.kid)
  await jwtVerify(fixedAssertionKeys([second]).sign({ sub: 'x' }), setOf(keys), ignoreTime)
  for (const wrong of [pem('P-384'), new Secret('no key at all')]) {
    assert.throws(
      () => fixedAssertionKeys([first, wrong]),
      (error: Error) =>
        /^key 2 is not a P-256/.test(error.message) && !error.message.includes(wrong.reveal().slice(0, 20)),
    )
  }
})
