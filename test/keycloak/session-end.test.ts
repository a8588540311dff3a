/** How sessions end with a real Keycloak: by the person, by the administrator, by the provider. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/gateway.ts'
import { openKeycloak, versionOf } from '../support/keycloak.ts'
import { arrive, openJourney, refresh, sessionStatus } from '../support/keycloak-journey.ts'
import { openWebSocket } from '../support/websocket.ts'

test('signing out ends the session at Keycloak without a question and comes back to signed-out', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { gateway, realm } = journey
  const { browser } = await arrive(journey, 'ada')
  assert.equal((await realm.sessionsOf('ada')).length, 1)
  const visit = await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: { rd: '/after' } })
  assert.ok(visit.url.startsWith(gateway.own('signed-out?state=')), visit.url)
  assert.match(visit.text, /You are signed out/)
  assert.deepEqual(await realm.sessionsOf('ada'), [])
  const later = await browser.click(visit, 'Sign in again')
  assert.match(later.text, /Sign in to/, 'Keycloak asks for the password again')
})

for (const store of ['memory', 'cookie'] as const) {
  test(`a logout in the admin console ends the session and its websockets within a second, store ${store}`, async (t) => {
    const journey = await openJourney(t, { gateway: () => ({ store }) })
    if (journey === undefined) return
    const { gateway, realm } = journey
    const [ada, bob] = [await arrive(journey, 'ada'), await arrive(journey, 'bob')]
    const cookie = ada.browser.cookies.header(new URL(gateway.origin))!
    const opened = await openWebSocket(t, `${gateway.origin}/ws`, { cookie, origin: gateway.origin })
    assert.ok(opened.kind === 'open')
    const [sid] = await realm.sessionsOf('ada')
    const started = performance.now()
    await realm.admin('DELETE', `/sessions/${sid}`)
    assert.equal(await opened.closed, 4401)
    await until(async () => (await sessionStatus(journey, ada.browser)) === 401, 'the session ends', 1000)
    assert.ok(performance.now() - started < 1000, `${performance.now() - started} ms`)
    assert.equal(await sessionStatus(journey, bob.browser), 200)
    assert.ok(gateway.lines().some(({ event }) => event === 'provider_logout'))
  })
}

// Keycloak 26.5 and before tells of one of the three alone, 26.7 of all; the next refresh ends the others.
test('“sign out” of a user in the admin console ends all of the person’s sessions', async (t) => {
  const keycloak = await openKeycloak(t)
  const journey = await openJourney(t)
  if (keycloak === undefined || journey === undefined) return
  const tellsOfAll = Number((await versionOf(keycloak)).split('.')[1]) >= 7
  const { realm } = journey
  const browsers = [await arrive(journey, 'ada'), await arrive(journey, 'ada'), await arrive(journey, 'ada')]
  assert.equal((await realm.sessionsOf('ada')).length, 3)
  await realm.admin('POST', `/users/${await realm.userId('ada')}/logout`)
  const out = async () => {
    const statuses = await Promise.all(browsers.map(({ browser }) => sessionStatus(journey, browser)))
    return statuses.filter((status) => status === 401).length
  }
  await until(async () => (await out()) >= (tellsOfAll ? 3 : 1), 'what Keycloak tells of ends', 1000)
  for (const { browser } of browsers) await refresh(journey, browser)
  assert.equal(await out(), 3)
})

test('without “session required” Keycloak names the person alone, and all their sessions end', async (t) => {
  const journey = await openJourney(t, { realm: { attributes: { 'backchannel.logout.session.required': 'false' } } })
  if (journey === undefined) return
  const { realm } = journey
  const [one, two, bob] = [await arrive(journey, 'ada'), await arrive(journey, 'ada'), await arrive(journey, 'bob')]
  const [sid] = await realm.sessionsOf('ada')
  await realm.admin('DELETE', `/sessions/${sid}`)
  assert.deepEqual([await sessionStatus(journey, one.browser), await sessionStatus(journey, two.browser)], [401, 401])
  assert.equal(await sessionStatus(journey, bob.browser), 200)
})

test('where Keycloak tells nothing, the next refresh ends the session cleanly', async (t) => {
  const journey = await openJourney(t, { realm: { attributes: { 'backchannel.logout.url': '' } } })
  if (journey === undefined) return
  const { gateway, realm } = journey
  const [ada, bob] = [await arrive(journey, 'ada'), await arrive(journey, 'bob')]
  const [sid] = await realm.sessionsOf('ada')
  await realm.admin('DELETE', `/sessions/${sid}`)
  assert.equal(await sessionStatus(journey, ada.browser), 200)
  assert.equal((await refresh(journey, ada.browser)).status, 401)
  assert.equal(await sessionStatus(journey, ada.browser), 401)
  const again = await ada.browser.navigate(`${gateway.origin}/`)
  assert.match(again.text, /Sign in to/)

  await realm.admin('PUT', `/users/${await realm.userId('bob')}`, { enabled: false })
  assert.equal((await refresh(journey, bob.browser)).status, 401)
  assert.equal(await sessionStatus(journey, bob.browser), 401)
  const ended = gateway.lines().filter(({ event }) => event === 'refresh_failed')
  assert.deepEqual(
    ended.map(({ errorClass }) => errorClass),
    ['terminal', 'terminal'],
  )
  t.diagnostic(ended.map(({ detail }) => detail).join(' | '))
})

for (const store of ['memory', 'cookie'] as const) {
  test(`SSO Session Idle: who is there stays, who was away signs in again without a question to Keycloak, store ${store}`, async (t) => {
    const journey = await openJourney(t, {
      realm: { realm: { accessTokenLifespan: 3600, ssoSessionIdleTimeout: 600, ssoSessionMaxLifespan: 36_000 } },
      gateway: () => ({ store, session: { idle: '2h' } }),
    })
    if (journey === undefined) return
    const { gateway, realm } = journey
    const { browser } = await arrive(journey, 'ada')
    const promised = async () => {
      const { expiresAt } = JSON.parse((await browser.fetch(gateway.own('session'))).body)
      return Math.round((Date.parse(expiresAt) - gateway.clock.now()) / 60_000)
    }
    assert.equal(await promised(), 10, 'not the two hours of the file')
    // Only our clock moves: Keycloak would take the token for another ten minutes.
    gateway.clock.move(595_000)
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
    assert.equal(await promised(), 10, 'renewed before it ran out, though the access token had 50 minutes left')
    gateway.clock.move(601_000)
    assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 401)
    assert.equal(await sessionStatus(journey, browser), 401)
    const [failed] = gateway.lines().filter(({ event }) => event === 'refresh_failed')
    assert.match(String(failed?.detail), /the refresh token ran out at .*the provider was not asked/)
    assert.equal((await realm.sessionsOf('ada')).length, 1)
  })
}

test('without refresh tokens the session ends with the access token', async (t) => {
  const journey = await openJourney(t, { realm: { attributes: { 'use.refresh.tokens': 'false' } } })
  if (journey === undefined) return
  const { gateway } = journey
  const { browser } = await arrive(journey, 'ada')
  gateway.clock.move(290_000)
  assert.equal(await sessionStatus(journey, browser), 200)
  gateway.clock.move(11_000)
  assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 401)
  assert.equal((await browser.navigate(`${gateway.origin}/x`)).status, 200, 'Keycloak knows the browser still')
})
