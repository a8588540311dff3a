import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../src/policy/explain.ts'
import { compilePolicy } from '../../src/policy/policy.ts'
import { host, person, route, target } from './fixtures.ts'

const now = 1_800_000_000_000
const context = { now, clientAddress: '192.0.2.1' }
const policy = compilePolicy(
  [
    route({ name: 'wiki', host: 'wiki.example.com' }),
    route({ name: 'open', path: '/public/*', allow: 'public' }),
    route({ name: 'read', path: '/api/*', methods: ['GET'] }),
    route({
      name: 'admin',
      path: '/admin/*',
      provider: 'staff',
      allow: {
        groups: ['/admins'],
        anyOf: [{ acr: ['gold'] }, { not: { networks: ['10.0.0.0/8'] } }],
        maxAge: 60,
      },
    }),
    route({ name: 'rest', allow: 'optional' }),
  ],
  [host],
)

test('the report tells why each route did or did not match, up to the one that decided', () => {
  const report = explain(policy, target('/api/x?y=1', { method: 'POST' }), undefined, context)
  assert.equal(report.outcome, 'method_not_allowed')
  assert.equal(report.detail, 'methods: GET, HEAD')
  assert.deepEqual(
    report.considered.slice(0, 3).map(({ route, why }) => [route, why]),
    [
      ['wiki', 'does not serve the host app.example.com'],
      ['open', 'the path does not match /public/*'],
      ['read', 'the path matches /api/*, but not the method: it lists GET, HEAD'],
    ],
  )
  const found = explain(policy, target('/public/x'), undefined, context)
  assert.deepEqual(found.considered.at(-1), {
    route: 'open',
    index: 1,
    chosen: true,
    why: 'the path matches /public/*',
  })
  assert.equal(found.mayPass, true)
})

test('each requirement has a yes or no and the value it was judged by', () => {
  const who = person({ groups: ['/users'], acr: 'silver', authTime: now / 1000 - 300 })
  const report = explain(policy, target('/ADMIN'), who, context)
  assert.deepEqual(report.route, { index: 3, name: 'admin', access: 'restricted' })
  assert.deepEqual(report.provider, { wanted: 'staff', seen: 'default', met: false })
  assert.deepEqual(
    report.requirements.map(({ requirement, rule, met, seen }) => [requirement, rule, met, seen]),
    [
      ['groups', '/admins', 'no', '/users'],
      ['maxAge', '60 seconds', 'no', '300 seconds ago'],
      ['anyOf', '2 ways', 'yes', '1 of 2 hold'],
    ],
  )
  const [acr, not] = report.requirements[2]!.parts!.map((part) => part[0]!)
  assert.deepEqual([acr!.met, acr!.seen, not!.met, not!.parts![0]![0]!.seen], ['no', 'silver', 'yes', '192.0.2.1'])
  assert.equal(report.mayPass, false)
  assert.equal(report.stepUp, undefined)
})

test('what the report says is what the policy decides', () => {
  const people = [
    undefined,
    person(),
    person({ provider: 'staff', groups: ['/admins'], authTime: now / 1000 }),
    person({ groups: ['/admins'], authTime: now / 1000 }),
    person({ provider: 'staff', groups: ['/admins'], acr: 'gold' }),
  ]
  const passing: boolean[] = []
  for (const who of people) {
    const report = explain(policy, target('/admin/x'), who, context)
    const { unmet } = policy.routes[3]!
    const expected = who !== undefined && unmet(who, context).length === 0 && who.provider === 'staff'
    assert.equal(report.mayPass, expected)
    passing.push(expected)
  }
  assert.deepEqual(passing, [false, false, true, false, false])
  assert.deepEqual(explain(policy, target('/admin'), people[4], context).stepUp, { acr: ['gold'], maxAge: 60 })
})

test('an ambiguous path and an unknown host are outcomes, not exceptions', () => {
  const slash = explain(policy, target('/api/a%2Fb'), undefined, context)
  assert.equal(slash.outcome, 'ambiguous_path')
  assert.match(slash.detail!, /encoded slash/)
  assert.equal(explain(policy, target('/x', { host: 'evil.example' }), undefined, context).outcome, 'host_unknown')
})
