/** The one journey for every supported Keycloak: `DOORWARD_KEYCLOAK=26.0.0` runs it on the oldest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKeycloak, versionOf } from '../support/keycloak.ts'
import { arrive, openJourney, refresh, sessionStatus, toldOf } from '../support/keycloak-journey.ts'

test('signs in, refreshes, signs out', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { gateway, realm } = journey
  const wanted = process.env.DOORWARD_KEYCLOAK
  const keycloak = await openKeycloak(t)
  if (wanted !== undefined && keycloak !== undefined) assert.equal(await versionOf(keycloak), wanted)

  const { browser, visit } = await arrive(journey, 'ada', '/roles/x')
  assert.equal(visit.status, 200)
  assert.equal(toldOf(journey)['x-auth-user'], 'ada')
  for (let i = 0; i < 2; i++) assert.equal(JSON.parse((await refresh(journey, browser)).body).renewed, true)
  assert.equal(await sessionStatus(journey, browser), 200)
  const left = await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {} })
  assert.match(left.text, /You are signed out/)
  assert.deepEqual(await realm.sessionsOf('ada'), [])
  assert.equal(await sessionStatus(journey, browser), 401)
})
