import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { systemClock } from '../../src/core/clock.ts'
import { createPinnedKeySet, usableKeys } from '../../src/issuer/key-set.ts'
import { forge, generateSigningKey } from '../support/rogue-provider.ts'

const edKey = (point: Buffer) => ({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') })

test('keys that must not verify anything are left out', async () => {
  const { jwk } = await generateSigningKey()
  const identity = Buffer.alloc(32)
  identity[0] = 1
  const signed = Buffer.from(identity)
  signed[31] = 0x80
  const bad = [
    { ...jwk, use: 'enc' },
    { ...jwk, kid: 7 },
    { ...jwk, n: Buffer.alloc(128, 0xff).toString('base64url') },
    // 2048 bits on paper, half of them leading zeros.
    { ...jwk, n: Buffer.concat([Buffer.alloc(128), Buffer.alloc(128, 0xff)]).toString('base64url') },
    { ...jwk, n: undefined },
    { kty: 'oct', k: 'c2VjcmV0' },
    { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' },
    edKey(identity),
    edKey(signed),
    edKey(Buffer.alloc(32)),
    edKey(Buffer.alloc(31)),
    { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32, 9).toString('base64url') },
    null,
    'key',
    [],
  ]
  assert.deepEqual(usableKeys({ keys: bad }), { keys: [] })
  for (const keys of [undefined, null, {}, 'keys']) assert.deepEqual(usableKeys({ keys }), { keys: [] })
})

test('a private part that was published is not taken', async () => {
  const { jwk } = await generateSigningKey('ES256')
  const { keys } = usableKeys({ keys: [{ ...jwk, d: 'secret', x5c: ['a'], jku: 'b' }] })
  assert.deepEqual(keys, [jwk])
})

test('a symmetric algorithm is refused even where the list names it', async () => {
  const input = forge({ alg: 'HS256' }, {}, '').slice(0, -1)
  const token = `${input}.${createHmac('sha256', 'secret').update(input).digest('base64url')}`
  const set = createPinnedKeySet([{ kty: 'oct', k: Buffer.from('secret').toString('base64url') }], systemClock)
  assert.deepEqual(await set.verify(token, ['HS256']), { valid: false, detail: 'the algorithm is not allowed' })
})

test('without a kid few keys are tried, not all', async () => {
  const keys = await Promise.all(Array.from({ length: 6 }, () => generateSigningKey('ES256')))
  const set = createPinnedKeySet(
    keys.map(({ jwk }) => jwk),
    systemClock,
  )
  const signedBy = (at: number) => new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(keys[at]!.privateKey)
  assert.equal((await set.verify(await signedBy(3), ['ES256'])).valid, true)
  assert.equal((await set.verify(await signedBy(5), ['ES256'])).valid, false)
})
