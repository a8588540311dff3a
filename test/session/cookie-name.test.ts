import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { cookieNames, createOwnCookieTest } from '../../src/session/cookie-name.ts'
import { createCookieSpec, crossSiteSpec, expireCookie, writeCookie } from '../../src/session/cookie-spec.ts'

const parts = {
  issuer: 'https://idp.example.com/realms/main',
  clientId: 'grafana',
  origin: 'https://app.example.com',
  domain: undefined,
  secure: true,
  override: undefined,
}
const spec = createCookieSpec({ ...parts, sameSite: 'lax' })

test('the suffix is what anybody can compute from issuer, client id, origin and domain', () => {
  const hex = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)
  const base = 'https://idp.example.com/realms/main\ngrafana\nhttps://app.example.com'
  assert.equal(cookieNames(parts).session, `__Host-Http-dw-${hex(base)}`)
  assert.equal(cookieNames({ ...parts, domain: 'example.com' }).session, `__Secure-dw-${hex(`${base}\nexample.com`)}`)
  assert.equal(cookieNames({ ...parts, secure: false }).session, `dw-${hex(base)}`)
  assert.equal(cookieNames({ ...parts, override: 'mine' }).session, 'mine')
})

test('another issuer, client or origin has another name, and another binding even under one name', () => {
  const others = [{ issuer: 'https://other.example' }, { clientId: 'other' }, { origin: 'https://b.example.com' }]
  for (const other of others) {
    assert.notEqual(cookieNames({ ...parts, ...other }).session, cookieNames(parts).session)
    const named = createCookieSpec({ ...parts, sameSite: 'lax', override: 'mine' })
    const namedToo = createCookieSpec({ ...parts, ...other, sameSite: 'lax', override: 'mine' })
    assert.notEqual(named.binding, namedToo.binding)
  }
})

test('attributes are spelled in one place, and removing a cookie spells the same', () => {
  const { session } = spec.names
  assert.equal(writeCookie(spec, session, 'v', 60), `${session}=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax`)
  assert.equal(expireCookie(spec, session), `${session}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`)
  const wide = createCookieSpec({ ...parts, domain: 'example.com', sameSite: 'none' })
  assert.match(writeCookie(wide, 'n', 'v', 1), /; Domain=example\.com; Max-Age=1; HttpOnly; Secure; SameSite=None$/)
  const plain = createCookieSpec({ ...parts, secure: false, sameSite: 'strict' })
  assert.equal(writeCookie(plain, 'n', 'v', 1), 'n=v; Path=/; Max-Age=1; HttpOnly; SameSite=Strict')
  assert.match(writeCookie(crossSiteSpec(plain), 'n', 'v', 1), /SameSite=Lax$/)
})

test('own cookies are known by their names in any case, and no others', () => {
  const isOwn = createOwnCookieTest([spec.names])
  const { session, second, loginPrefix, marker } = spec.names
  for (const name of [session, second, `${loginPrefix}abc`, marker, session.toUpperCase()]) assert.ok(isOwn(name), name)
  for (const name of ['', 'a', `x${session}`, `${session}x`, '__Host-Http-dw-', 'dw-theme'])
    assert.ok(!isOwn(name), name)
})
