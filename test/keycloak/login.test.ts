/** Signing in at a real Keycloak, through its own login page and the whole gateway. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/gateway.ts'
import { arrive, openJourney, refresh, sessionStatus, signInAtKeycloak, toldOf } from '../support/keycloak-journey.ts'
import { clientSecret } from '../support/keycloak-realm.ts'

test('leads back to the page, and the application is told who it is', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { gateway, realm } = journey
  const { browser, visit } = await arrive(journey, 'ada', '/roles/x?a=b')
  assert.deepEqual([visit.status, visit.url], [200, `${gateway.origin}/roles/x?a=b`])
  const told = toldOf(journey)
  assert.equal(told['x-auth-user'], 'ada')
  assert.equal(told['x-auth-subject'], await realm.userId('ada'))
  assert.equal(told['x-auth-email'], 'ada@example.test')
  assert.equal(told['x-auth-groups'], '/platform/admins', 'with its leading slash')
  assert.equal((await browser.navigate(`${gateway.origin}/admins/`)).status, 200)
  const session = JSON.parse((await browser.fetch(gateway.own('session'))).body)
  assert.ok(session.realmRoles.includes('platform-admin'), 'realm roles come from the access token')
  assert.ok(!gateway.logText().includes(clientSecret))
})

test('does not let in who lacks the group or the realm role, and says what is missing', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { browser, visit } = await arrive(journey, 'bob', '/roles/x')
  assert.equal(visit.status, 403)
  assert.match(visit.text, /platform-admin/)
  assert.equal((await browser.navigate(`${journey.gateway.origin}/admins/`)).status, 403)
  assert.equal((await browser.navigate(`${journey.gateway.origin}/`)).status, 200)
})

test('with a wrong password stays at Keycloak, and with the right one goes on', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const browser = journey.gateway.browser()
  const page = await browser.navigate(`${journey.gateway.origin}/here`)
  const again = await signInAtKeycloak(browser, page, 'ada', 'wrong')
  assert.match(again.text, /Invalid username or password/)
  const visit = await signInAtKeycloak(browser, again, 'ada')
  assert.deepEqual([visit.status, visit.url], [200, `${journey.gateway.origin}/here`])
})

test('refreshes with rotation and reuse 0, one after the other and many at once', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { browser } = await arrive(journey, 'ada')
  for (let i = 0; i < 3; i++) assert.equal(JSON.parse((await refresh(journey, browser)).body).renewed, true)
  const many = await Promise.all(Array.from({ length: 10 }, () => refresh(journey, browser)))
  assert.deepEqual(
    new Set(many.map(({ status }) => status)),
    new Set([200]),
    'a token used twice would end the session',
  )
  assert.equal(JSON.parse((await refresh(journey, browser)).body).renewed, true)
})

test('refreshes by itself before the access token ends, and the request does not wait for it', async (t) => {
  const journey = await openJourney(t, { realm: { realm: { accessTokenLifespan: 20 } } })
  if (journey === undefined) return
  const { gateway } = journey
  const { browser } = await arrive(journey, 'ada')
  // The gateway's clock alone moves: for Keycloak the refresh token is as young as it is.
  gateway.clock.move(19_000)
  assert.equal((await browser.fetch(`${gateway.origin}/`)).status, 200)
  await until(async () => /refreshes_total\{outcome="ok"\} 1/.test(await gateway.metrics()), 'a refresh')
  assert.equal(await sessionStatus(journey, browser), 200)
})

test('a group taken away is denied after the next refresh', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { gateway, realm } = journey
  const { browser, visit } = await arrive(journey, 'ada', '/admins/')
  assert.equal(visit.status, 200)
  await realm.leaveGroup('ada', '/platform/admins')
  const renewed = JSON.parse((await refresh(journey, browser)).body)
  assert.deepEqual(renewed.groups, [])
  assert.equal((await browser.navigate(`${gateway.origin}/admins/`)).status, 403)
  assert.equal((await browser.navigate(`${gateway.origin}/`)).status, 200)
})

test('the cookie store does all of this too', async (t) => {
  const journey = await openJourney(t, { gateway: () => ({ store: 'cookie' }) })
  if (journey === undefined) return
  const { gateway, realm } = journey
  const { browser, visit } = await arrive(journey, 'ada', '/roles/')
  assert.equal(visit.status, 200)
  assert.equal(JSON.parse((await refresh(journey, browser)).body).renewed, true)
  assert.equal(JSON.parse((await refresh(journey, browser)).body).renewed, true)
  await realm.leaveGroup('ada', '/platform/admins')
  await refresh(journey, browser)
  assert.equal((await browser.navigate(`${gateway.origin}/admins/`)).status, 403)
})
