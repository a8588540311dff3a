import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClaimError, type ClaimRules, type ClaimSources, identityFrom } from '../../src/core/claims.ts'
import { parseStrictJson } from '../../src/core/strict-json.ts'

const rules: ClaimRules = {
  provider: 'default',
  issuer: 'https://idp.example',
  groupsClaim: 'groups',
  groupPaths: 'keep',
  groupsKept: [],
  claimsKept: [],
  trustUnverifiedEmail: false,
}
const of = (idToken: object, changes: Partial<ClaimRules> = {}, more: ClaimSources = {}) =>
  identityFrom({ idToken: { sub: 's', ...idToken }, ...more }, { ...rules, ...changes })

test('the first source that has a claim wins it; null and absence count as nothing', () => {
  const identity = of(
    { name: null, preferred_username: 'id' },
    {},
    {
      userinfo: { sub: 's', name: 'userinfo', preferred_username: 'userinfo', groups: ['u'] },
      accessToken: { sub: 's', name: 'access', groups: ['a'], realm_access: { roles: ['r', 7] }, scope: 'x y' },
    },
  )
  assert.deepEqual(
    [identity.name, identity.username, identity.groups, identity.realmRoles, identity.scopes],
    ['userinfo', 'id', ['u'], ['r'], ['x', 'y']],
  )
  assert.equal(of({}).username, 's')
})

test('sub is a text of 1 to 255 characters, the same in all sources', () => {
  for (const sub of [undefined, null, 1, '', 's'.repeat(256), ['s'], { a: 1 }, 'a\nb']) {
    assert.throws(
      () => of({ sub }),
      (error) => error instanceof ClaimError && error.claim === 'sub',
    )
  }
  assert.throws(() => of({}, {}, { userinfo: { sub: 'other' } }), ClaimError)
})

test('an e-mail counts only if it is verified, by the source that states it', () => {
  const email = (claims: object, changes = {}, more = {}) => of(claims, changes, more).email
  assert.equal(email({ email: 'A@Example.ORG', email_verified: true }), 'A@example.org')
  for (const email_verified of [false, undefined, 'true', 1]) {
    assert.equal(email({ email: 'a@b.c', email_verified }), undefined)
    assert.equal(email({ email: 'a@b.c', email_verified }, { trustUnverifiedEmail: true }), 'a@b.c')
  }
  for (const bad of ['a', 'a@b@c', '@b', 'a@', 'a b@c', 7]) {
    assert.equal(email({ email: bad, email_verified: true }), undefined, String(bad))
  }
  const userinfo = { sub: 's', email: 'other@b.c', email_verified: true }
  assert.equal(email({ email: 'victim@b.c' }, {}, { userinfo }), undefined)
  assert.equal(email({ email: 'other@b.c' }, {}, { userinfo }), 'other@b.c')
})

test('groups: lists, JSON text, words; kept by name or prefix', () => {
  const groups = (value: unknown, changes = {}) => of({ groups: value }, changes).groups
  assert.deepEqual(groups(['/a', '/b', '/a', 7, null, '']), ['/a', '/b'])
  assert.deepEqual(groups('["/a b","/c"]'), ['/a b', '/c'])
  assert.deepEqual(groups('a b  c'), ['a', 'b', 'c'])
  for (const nothing of [undefined, 7, {}, '[broken', true]) assert.deepEqual(groups(nothing), [])
  assert.deepEqual(groups(['/a/b', 'c'], { groupPaths: 'ignore' }), ['a/b', 'c'])
  const groupsKept = ['/staff', '/team/*']
  assert.deepEqual(groups(['/staff', '/staff/x', '/team/a', '/team', '/teams/b'], { groupsKept }), [
    '/staff',
    '/team/a',
  ])
  assert.deepEqual(groups(['/team/a', '/x'], { groupsKept, groupPaths: 'ignore' }), ['team/a'])
  assert.deepEqual(of({ teams: ['t'] }, { groupsClaim: 'teams' }).groups, ['t'])
})

test('claims kept: by their very name, else by a dotted path of own members', () => {
  const claimsKept = ['department', 'address.country', 'a.b', 'constructor', '__proto__', 'missing', 'toString.name']
  const { claims } = of(
    { department: ['x'], address: { country: 'CH' }, 'a.b': 1, a: { b: 2 }, other: 'o' },
    { claimsKept },
  )
  assert.deepEqual(claims, { department: ['x'], 'address.country': 'CH', 'a.b': 1 })
})

test('nothing that may become a header holds control characters or broken Unicode; the error hides the value', () => {
  const bad = ['evil\r\nX: y', 'evil\0', 'evil\x7f', 'evil\x85', 'evil\ud800']
  for (const value of bad) {
    const cases: [string, object][] = [
      ['preferred_username', { preferred_username: value }],
      ['name', { name: value }],
      ['email', { email: value, email_verified: true }],
      ['groups', { groups: [value] }],
      ['acr', { acr: value }],
      ['realm_access', { realm_access: { roles: [value] } }],
      ['resource_access', { resource_access: { c: { roles: [value] } } }],
      ['scope', { scope: value }],
      ['deep', { deep: { er: ['x', value] } }],
    ]
    for (const [claim, claims] of cases) {
      assert.throws(
        () => of(claims, { claimsKept: ['deep'] }),
        (error) => error instanceof ClaimError && error.claim === claim && !error.message.includes('evil'),
        `${claim} ${JSON.stringify(value)}`,
      )
    }
  }
  assert.equal(of({ preferred_username: 'Ā 😀' }).username, 'Ā 😀')
})

test('strict JSON: no member twice, however it is spelled', () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '[{"b":{"c":1,"c":2}}]',
    '{"a":{"x":1},"b":[{}],"a":2}',
  ]) {
    assert.throws(() => parseStrictJson(text), SyntaxError, text)
  }
  for (const text of [
    '{"a":"a","b":["a","a"],"c":{"a":1}}',
    '[1,"a","a"]',
    '"a"',
    '{"a":"}{\\",\\"a\\":1"}',
    '{}',
    '7',
  ]) {
    assert.deepEqual(parseStrictJson(text), JSON.parse(text))
  }
  for (const text of ['', '{', '\ufeff{}', '{"a":1,}']) assert.throws(() => parseStrictJson(text), SyntaxError)
})
