import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AllowConfig } from '../../src/config/config.ts'
import type { Identity } from '../../src/core/identity.ts'
import { compilePolicy } from '../../src/policy/policy.ts'
import { host, person, route } from './fixtures.ts'

const now = 1_800_000_000_000
const context = { now, clientAddress: '192.0.2.1' }
const routeOf = (allow: AllowConfig) => compilePolicy([route({ allow })], [host]).routes[0]!
const stepUp = (allow: AllowConfig, who: Partial<Identity>) => routeOf(allow).stepUp(person(who), context)
const fresh = { authTime: now / 1000 - 10 }

test('a level that is missing can be asked for', () => {
  assert.deepEqual(stepUp({ acr: ['gold', 'platinum'] }, { acr: 'silver' }), { acr: ['gold', 'platinum'] })
  assert.deepEqual(stepUp({ acr: ['gold'], maxAge: 60 }, { acr: 'silver', ...fresh }), { acr: ['gold'], maxAge: 60 })
  assert.deepEqual(stepUp({ maxAge: 60 }, {}), { maxAge: 60 })
})

test('nobody is sent to sign in where that would not help', () => {
  assert.equal(stepUp({ groups: ['/staff'] }, {}), undefined)
  assert.equal(stepUp({ groups: ['/staff'], acr: ['gold'], maxAge: 60 }, { acr: 'silver' }), undefined)
  assert.equal(stepUp({ not: { acr: ['bronze'] } }, { acr: 'bronze' }), undefined)
  assert.equal(stepUp({ not: { not: { acr: ['gold'] } } }, { acr: 'silver' }), undefined, 'not is never a wish')
  assert.equal(stepUp({ acr: ['gold'], not: { acr: ['gold'] } }, {}), undefined)
})

test('levels within anyOf are offered only to whom they open the door', () => {
  const allow: AllowConfig = { anyOf: [{ groups: ['/staff'], acr: ['gold'] }, { acr: ['platinum'] }] }
  assert.deepEqual(stepUp(allow, {}), { acr: ['platinum'] })
  assert.deepEqual(stepUp(allow, { groups: ['/staff'] }), { acr: ['gold', 'platinum'] })
  assert.deepEqual([routeOf(allow).acr, routeOf(allow).maxAge], [undefined, undefined], 'not part of a plain login')
})

test('a met route needs no store of its own: the answer is a yes at a later time too unless it says otherwise', () => {
  const aged = routeOf({ maxAge: 60 })
  assert.ok(aged.dependsOnRequest)
  assert.equal(aged.unmet(person(fresh), context).length, 0)
  assert.equal(aged.unmet(person(fresh), { ...context, now: now + 60_000 }).length, 1)
  assert.ok(routeOf({ anyOf: [{ not: { maxAge: 5 } }] }).dependsOnRequest)
  assert.ok(routeOf({ not: { anyOf: [{ networks: ['10.0.0.0/8'] }] } }).dependsOnRequest)
})
