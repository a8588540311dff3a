import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Requirements } from '../../src/config/config.ts'
import type { Identity } from '../../src/core/identity.ts'
import { claimAt } from '../../src/policy/claim-tests.ts'
import { compileRequirements, unmetOf } from '../../src/policy/requirements.ts'
import { person } from './fixtures.ts'

const now = 1_800_000_000_000
const context = { now, clientAddress: '192.0.2.1' }
const secondsAgo = (seconds: number) => now / 1000 - seconds
const unmet = (rules: Requirements, who: Partial<Identity>, clientAddress = context.clientAddress) =>
  unmetOf(compileRequirements(rules), person(who), { now, clientAddress })
const passes = (rules: Requirements, who: Partial<Identity>, address?: string) =>
  unmet(rules, who, address).length === 0

/** For each key of the file: rules, who passes, and who comes close and is refused. */
const table: Record<string, [rules: Requirements, yes: Partial<Identity>[], no: Partial<Identity>[]]> = {
  'groups, exact path': [
    { groups: ['/staff', '/admins'] },
    [{ groups: ['/staff'] }, { groups: ['/x', '/admins'] }, { groups: ['/STAFF'] }],
    [{}, { groups: ['staff'] }, { groups: ['/staff/berlin'] }, { groups: ['/staff2'] }, { groups: ['/staff/'] }],
  ],
  'groups, prefix': [
    { groups: ['/staff/*'] },
    [{ groups: ['/staff/berlin'] }, { groups: ['/Staff/Berlin/x'] }, { groups: ['/staff'] }],
    [{}, { groups: ['/staffers'] }, { groups: ['staff/berlin'] }, { groups: ['/x/staff/berlin'] }, { groups: ['/*'] }],
  ],
  'groups, plain names': [
    { groups: ['Admins'] },
    [{ groups: ['Admins'] }],
    [{ groups: ['admins'] }, { groups: ['/Admins'] }, { realmRoles: ['Admins'] }, { groups: ['Admins2'] }],
  ],
  'groups, letters that only look alike': [
    { groups: ['/kings'] },
    [{ groups: ['/KINGS'] }],
    [{ groups: ['/\u212aings'] }],
  ],
  'groups, nobody listed': [{ groups: [] }, [], [{}, { groups: ['/staff', ''] }]],
  realmRoles: [
    { realmRoles: ['admin', 'editor'] },
    [{ realmRoles: ['editor'] }],
    [{}, { realmRoles: ['Admin'] }, { groups: ['admin'] }, { clientRoles: { app: ['admin'] } }, { scopes: ['admin'] }],
  ],
  clientRoles: [
    { clientRoles: [{ client: 'app', role: 'admin' }] },
    [{ clientRoles: { app: ['user', 'admin'] } }],
    [
      {},
      { clientRoles: { other: ['admin'] } },
      { clientRoles: { app: ['Admin'] } },
      { realmRoles: ['admin', 'app:admin'] },
    ],
  ],
  'clientRoles, a client with an odd name': [
    {
      clientRoles: [
        { client: 'constructor', role: 'name' },
        { client: '__proto__', role: 'x' },
      ],
    },
    [],
    [{}, { clientRoles: { app: ['name'] } }],
  ],
  scopes: [
    { scopes: ['read', 'write'] },
    [{ scopes: ['openid', 'write'] }],
    [{}, { scopes: ['read write'] }, { scopes: ['READ'] }],
  ],
  emails: [
    { emails: ['Ada@Example.com'] },
    [{ email: 'ada@example.com' }, { email: 'ADA@EXAMPLE.COM' }],
    [
      {},
      { email: 'ada@example.com.evil.example' },
      { email: 'x@ada@example.com' },
      { email: ' ada@example.com' },
      { username: 'ada@example.com' },
    ],
  ],
  'emails, letters that only look alike': [
    { emails: ['kim@example.com'] },
    [],
    [{ email: '\u212aim@example.com' }, { email: 'kım@example.com' }],
  ],
  emailDomains: [
    { emailDomains: ['Example.com'] },
    [{ email: 'a@example.com' }, { email: 'b@EXAMPLE.com' }],
    [
      {},
      { email: 'a@sub.example.com' },
      { email: 'a@evilexample.com' },
      { email: 'a@example.com.evil.example' },
      { email: 'a@evil.example@example.com' },
      { email: '@example.com' },
      { email: 'example.com' },
      { email: 'a@example.com\n' },
      { email: 'a b@example.com' },
    ],
  ],
  'emailDomains, a star is no wildcard': [{ emailDomains: ['*'] }, [], [{}, { email: 'a@example.com' }]],
  'claims, one of': [
    { claims: [{ claim: 'department', oneOf: ['sales', 7, true] }] },
    [{ claims: { department: 'sales' } }, { claims: { department: 7 } }, { claims: { department: [1, true] } }],
    [
      {},
      { claims: { department: 'Sales' } },
      { claims: { department: '7' } },
      { claims: { department: 'true' } },
      { claims: { department: ['x', ['sales']] } },
      { claims: { department: { 0: 'sales' } } },
      { claims: { department: null } },
      { claims: { other: 'sales' } },
    ],
  ],
  'claims, pattern': [
    { claims: [{ claim: 'site', matches: /ber|muc\d/ }] },
    [{ claims: { site: 'ber' } }, { claims: { site: 'muc1' } }, { claims: { site: ['x', 'muc2'] } }],
    [
      {},
      { claims: { site: 'berlin' } },
      { claims: { site: 'amber' } },
      { claims: { site: 'xmuc1' } },
      { claims: { site: 'ber\n' } },
      { claims: { site: 'x\nber\nx' } },
      { claims: { site: 7 } },
      { claims: { site: { toString: 'ber' } } },
    ],
  ],
  'claims, pattern with flags': [
    { claims: [{ claim: 'site', matches: /BER/gim }] },
    [{ claims: { site: 'ber' } }, { claims: { site: 'Ber' } }, { claims: { site: 'BER' } }],
    [{ claims: { site: 'x\nber' } }, { claims: { site: 'ber\nx' } }],
  ],
  'claims, several tests': [
    {
      claims: [
        { claim: 'a', oneOf: [1] },
        { claim: 'b', oneOf: [2] },
      ],
    },
    [{ claims: { a: 1, b: 2 } }],
    [{ claims: { a: 1 } }, { claims: { b: 2 } }],
  ],
  'claims, dotted': [
    { claims: [{ claim: 'address.country', oneOf: ['DE'] }] },
    [{ claims: { address: { country: 'DE' } } }, { claims: { 'address.country': 'DE' } }],
    [{ claims: { address: 'DE' } }, { claims: { country: 'DE' } }, { claims: { address: [{ country: 'DE' }] } }],
  ],
  'claims, inherited names': [
    { claims: [{ claim: 'constructor.name', oneOf: ['Object'] }] },
    [],
    [{}, { claims: { x: 1 } }],
  ],
  acr: [
    { acr: ['gold', '2'] },
    [{ acr: 'gold' }, { acr: '2' }],
    [{}, { acr: 'silver' }, { acr: 'Gold' }, { claims: { acr: 'gold' } }],
  ],
  maxAge: [
    { maxAge: 60 },
    [{ authTime: secondsAgo(0) }, { authTime: secondsAgo(60) }, { authTime: secondsAgo(-20) }],
    [
      {},
      { authTime: secondsAgo(61) },
      { authTime: 0 },
      { authTime: secondsAgo(-3600) },
      { authTime: 1e300 },
      { authTime: Number.NaN },
    ],
  ],
  'fields are AND': [
    { groups: ['/staff'], realmRoles: ['admin'] },
    [{ groups: ['/staff'], realmRoles: ['admin'] }],
    [{ groups: ['/staff'] }, { realmRoles: ['admin'] }],
  ],
  anyOf: [
    { anyOf: [{ groups: ['/staff'], acr: ['gold'] }, { realmRoles: ['admin'] }] },
    [{ groups: ['/staff'], acr: 'gold' }, { realmRoles: ['admin'] }],
    [{}, { groups: ['/staff'] }, { acr: 'gold' }],
  ],
  'anyOf, no way': [{ anyOf: [] }, [], [{}]],
  'anyOf and a field': [
    { groups: ['/staff'], anyOf: [{ acr: ['gold'] }] },
    [{ groups: ['/staff'], acr: 'gold' }],
    [{ acr: 'gold' }, { groups: ['/staff'] }],
  ],
  not: [
    { not: { groups: ['/contractors/*'] } },
    [{}, { groups: ['/staff'] }],
    [{ groups: ['/contractors'] }, { groups: ['/staff', '/CONTRACTORS/x'] }],
  ],
  'not, several fields': [
    { not: { groups: ['/a'], realmRoles: ['b'] } },
    [{}, { groups: ['/a'] }, { realmRoles: ['b'] }],
    [{ groups: ['/a'], realmRoles: ['b'] }],
  ],
  'not, of a fact that is not known': [
    { not: { emailDomains: ['agency.example'] } },
    [{ email: 'a@example.com' }],
    [{}, { email: 'a@agency.example' }, { email: 'a@x@agency.example' }],
  ],
  'not, of an unknown fact, settled by another': [
    { not: { groups: ['/guests'], emailDomains: ['agency.example'] } },
    [{ groups: ['/staff'] }],
    [{ groups: ['/guests'] }],
  ],
  'not, of an unknown level': [{ not: { acr: ['bronze'] } }, [{ acr: 'gold' }], [{}, { acr: 'bronze' }]],
  'not, of an unknown age': [
    { not: { maxAge: 60 } },
    [{ authTime: secondsAgo(61) }],
    [{}, { authTime: secondsAgo(1) }, { authTime: secondsAgo(-3600) }],
  ],
  'not not': [{ not: { not: { groups: ['/a'] } } }, [{ groups: ['/a'] }], [{}]],
  'anyOf with an unknown way': [
    { anyOf: [{ emails: ['a@b.example'] }, { groups: ['/a'] }] },
    [{ groups: ['/a'] }],
    [{}],
  ],
  'not anyOf with an unknown way': [
    { not: { anyOf: [{ emails: ['a@b.example'] }, { groups: ['/a'] }] } },
    [{ email: 'x@b.example' }],
    [{}, { groups: ['/a'] }],
  ],
}

for (const [name, [rules, yes, no]] of Object.entries(table)) {
  test(`${name}: members pass, others are refused`, () => {
    for (const who of yes) assert.ok(passes(rules, who), `should pass: ${JSON.stringify(who)}`)
    for (const who of no) assert.ok(!passes(rules, who), `should be refused: ${JSON.stringify(who)}`)
  })
}

test('a claim is found among own members alone', () => {
  assert.equal(claimAt({}, '__proto__'), undefined)
  assert.equal(claimAt({ a: {} }, 'a.__proto__'), undefined)
  assert.equal(claimAt({ a: { b: { c: 1 } } }, 'a.b.c'), 1)
})

test('networks: the client address decides, however it is spelled', () => {
  const rules: Requirements = { networks: ['10.0.0.0/8', '2001:db8::/32'] }
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::9']) assert.ok(passes(rules, {}, address), address)
  for (const address of ['11.0.0.1', '2001:db9::1', '', 'unknown', '10.1.2.3.evil.example']) {
    assert.ok(!passes(rules, {}, address), address)
  }
  assert.ok(passes({ not: rules }, {}, '192.0.2.1'))
  for (const address of ['10.1.2.3', '', 'unknown']) assert.ok(!passes({ not: rules }, {}, address), address)
})

test('no combination of rules lets in somebody about whom nothing is known, except by exclusion', () => {
  const single: Requirements[] = [
    { groups: ['/a', '*', '/*'] },
    { realmRoles: ['a'] },
    { clientRoles: [{ client: 'a', role: 'b' }] },
    { scopes: ['a'] },
    { emails: ['a@b.example'] },
    { emailDomains: ['b.example'] },
    { claims: [{ claim: 'a', oneOf: ['undefined'] }] },
    { claims: [{ claim: 'a', matches: /.*/ }] },
    { networks: ['10.0.0.0/8'] },
    { acr: ['0'] },
    { maxAge: 1e9 },
  ]
  for (const one of single) {
    assert.ok(!passes(one, {}), JSON.stringify(one))
    for (const other of single) {
      assert.ok(!passes({ ...one, anyOf: [other, one] }, {}), JSON.stringify([one, other]))
      assert.ok(!passes({ anyOf: [one, other] }, {}), JSON.stringify([one, other]))
    }
  }
})

test('what is missing is named by the key of the file, in a sentence', () => {
  assert.deepEqual(unmet({ groups: ['/staff', '/admins'], acr: ['gold'], maxAge: 300 }, { groups: ['/admins'] }), [
    { requirement: 'acr', wanted: 'sign in with the assurance level gold' },
    { requirement: 'maxAge', wanted: 'have signed in within the last 5 minutes' },
  ])
  assert.deepEqual(unmet({ anyOf: [{ groups: ['/staff'], scopes: ['x'] }, { realmRoles: ['admin'] }] }, {}), [
    {
      requirement: 'anyOf',
      wanted:
        'do one of these: be a member of /staff and bring a token with the scope x; ' + 'or have the realm role admin',
    },
  ])
  assert.deepEqual(unmet({ not: { groups: ['/guests'] } }, { groups: ['/guests'] }), [
    { requirement: 'not', wanted: 'not be a member of /guests' },
  ])
  const [address] = unmet({ emails: ['boss@example.com'] }, { email: 'me@example.com' })
  assert.doesNotMatch(address!.wanted, /boss/, 'nobody learns the addresses of others')
  assert.equal(unmet({ not: { groups: ['/a'] } }, {}), unmet({ groups: ['/b'] }, { groups: ['/b'] }), 'one shared list')
})
