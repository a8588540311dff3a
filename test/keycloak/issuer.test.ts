/** One Keycloak under several names, and credentials that do not fit: each has a sentence that says what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/gateway.ts'
import { arrive, openJourney, refresh, sessionStatus, toldOf } from '../support/keycloak-journey.ts'
import { apiAudience, clientId, clientSecret, type Realm } from '../support/keycloak-realm.ts'

const byAddress = (url: string): string => url.replace('//localhost:', '//127.0.0.1:')

const providerOf = (realm: Realm, more: Readonly<Record<string, unknown>>) => ({
  kind: 'keycloak',
  issuer: realm.issuer,
  clientId,
  clientSecret,
  ...more,
})

test('internalUrl: browsers at the public name, our own calls at another; login, refresh, logout', async (t) => {
  // As with a fixed hostname: Keycloak says the public name whoever asks.
  const journey = await openJourney(t, {
    realm: { frontendUrl: true },
    gateway: (realm) => ({
      config: (world) => ({
        ...realm.configOf(world),
        provider: providerOf(realm, { internalUrl: new URL(byAddress(realm.issuer)).origin }),
      }),
    }),
  })
  if (journey === undefined) return
  const { gateway, realm } = journey
  const { browser, visit } = await arrive(journey, 'ada', '/roles/')
  assert.equal(visit.status, 200)
  assert.ok(visit.hops[0]!.url.startsWith(realm.issuer), 'the browser saw the public name')
  assert.equal(JSON.parse((await refresh(journey, browser)).body).renewed, true)
  const [sid] = await realm.sessionsOf('ada')
  await realm.admin('DELETE', `/sessions/${sid}`)
  assert.equal(await sessionStatus(journey, browser), 401)
  const again = await arrive(journey, 'ada')
  const left = await again.browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {} })
  assert.match(left.text, /You are signed out/)
})

test('an alias of Keycloak’s host is diagnosed with both names, and nobody is let in', async (t) => {
  const journey = await openJourney(t, {
    realm: { frontendUrl: true },
    gateway: (realm) => ({
      errorsExpected: true,
      config: (world) => ({
        ...realm.configOf(world),
        provider: providerOf(realm, { issuer: byAddress(realm.issuer) }),
        bearer: [{ issuer: byAddress(realm.issuer), audience: apiAudience }],
      }),
    }),
  })
  if (journey === undefined) return
  const { gateway, realm } = journey
  const browser = gateway.browser()
  const page = await browser.navigate(`${gateway.origin}/`)
  assert.equal(page.status, 503)
  assert.ok(!page.body.includes(realm.issuer), 'people are not told of issuers')
  const expected = `invalid issuer: expected ${byAddress(realm.issuer)}, got ${realm.issuer}; set \`issuer: ${realm.issuer}\``
  await until(() => gateway.lines().some((line) => JSON.stringify(line).includes(expected)), 'the log names both')
  const ready = await fetch(new URL('/readyz', gateway.server.addresses.operations))
  assert.ok((await ready.text()).includes(expected.slice(0, 40)), '/readyz says it too')
  const answer = await callApi(gateway.origin, await realm.token('robot', 'ada'))
  assert.equal(answer.status, 401)
  assert.ok(answer.challenge.includes(`invalid issuer: expected ${byAddress(realm.issuer)}, got ${realm.issuer}`))
})

test('a wrong client secret fails the login with the cause in the log, and the page says nothing of it', async (t) => {
  const wrong = 'another-secret-than-keycloak-has'
  const journey = await openJourney(t, {
    gateway: (realm) => ({
      config: (world) => ({ ...realm.configOf(world), provider: providerOf(realm, { clientSecret: wrong }) }),
    }),
  })
  if (journey === undefined) return
  const { visit } = await arrive(journey, 'ada')
  assert.equal(visit.status, 502)
  const failed = journey.gateway.lines().find(({ event }) => event === 'login_failed')
  assert.match(String(failed?.detail), /unauthorized_client.*check clientId, clientSecret/)
  assert.ok(!journey.gateway.logText().includes(wrong))
})

test('a client that is gone while people are signed in logs nobody out', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { gateway, realm } = journey
  const { browser } = await arrive(journey, 'ada')
  await realm.updateClient(() => ({ secret: 'rotated-at-keycloak-and-not-here' }))
  const answer = await refresh(journey, browser)
  assert.deepEqual([answer.status, JSON.parse(answer.body).renewed], [200, false])
  assert.equal(await sessionStatus(journey, browser), 200)
  assert.equal(gateway.lines().find(({ event }) => event === 'refresh_failed')?.errorClass, 'operator')
})

test('a bearer token with the audience mapper is let in, one without is told which audience is missing', async (t) => {
  const journey = await openJourney(t)
  if (journey === undefined) return
  const { gateway, realm } = journey
  assert.equal((await callApi(gateway.origin, await realm.token('robot', 'ada'))).status, 200)
  assert.equal(toldOf(journey)['x-auth-user'], 'ada')
  const refused = await callApi(gateway.origin, await realm.token('stranger', 'ada'))
  assert.equal(refused.status, 401)
  assert.match(refused.challenge, /invalid audience: expected gateway-api, got account/)
})

async function callApi(origin: string, token: string) {
  const answer = await fetch(`${origin}/api/x`, { headers: { authorization: `Bearer ${token}` } })
  return { status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '' }
}
