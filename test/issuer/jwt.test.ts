import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readJwt } from '../../src/issuer/jwt.ts'
import { forge } from '../support/rogue-provider.ts'

test('one text, one token: three parts, canonical base64url, objects', () => {
  const good = forge({ alg: 'RS256' }, { sub: 'ü' }, 'AAAA')
  assert.deepEqual(readJwt(good), { header: { alg: 'RS256' }, payload: { sub: 'ü' } })
  const bad = [
    `${good}.AAAA`,
    `${good}.`,
    `${good}=`,
    ` ${good}`,
    good.slice(0, -4),
    `${good.slice(0, -4)}AAB`,
    '',
    '..',
  ]
  for (const token of [...bad, forge([], {}, 'AAAA'), forge({}, 'null', 'AAAA'), forge({}, '\ufeff{}', 'AAAA')]) {
    assert.equal(readJwt(token), undefined, token)
  }
})
