/** A person with a real browser at a real Keycloak: stays signed in while idle, and is out at once when told so. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import type { Page } from 'playwright-core'
import { openChromium } from '../support/chromium.ts'
import { until } from '../support/gateway.ts'
import { type KeycloakJourney, openJourney, toldOf } from '../support/keycloak-journey.ts'

/** Seconds of an access token: short enough to wait for its end. */
const life = 4
const headers = { 'X-Access-Token': '{accessToken}' }
const page = '<!doctype html><title>Application</title><link rel="icon" href="data:,"><h1>Hello</h1>'

async function openBrowser(t: TestContext) {
  const browser = await openChromium(t)
  if (browser === undefined) return undefined
  const journey = await openJourney(t, {
    realm: { realm: { accessTokenLifespan: life } },
    gateway: ({ configOf }) => ({
      config: (world) => ({
        ...configOf(world),
        routes: [{ allow: 'signedIn', upstream: world.application, headers }],
      }),
    }),
  })
  if (journey === undefined) return undefined
  journey.gateway.application.on('/', (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(page),
  )
  return { journey, page: await browser.newPage() }
}

/** The token the application was given with its last request. */
const lastToken = (journey: KeycloakJourney) => decodeJwt(String(toldOf(journey)['x-access-token']))

const heading = (page: Page) => page.locator('h1').first().innerText()

async function signIn(page: Page, { gateway, realm }: KeycloakJourney) {
  await page.goto(`${gateway.origin}/`)
  assert.ok(page.url().startsWith(realm.issuer), page.url())
  await page.locator('#username').fill('ada')
  await page.locator('#password').fill('ada')
  await page.locator('#kc-login').click()
  await page.waitForURL(`${gateway.origin}/`)
  assert.equal(await heading(page), 'Hello')
}

/** A websocket of the page itself, as an application has them. */
async function openSocket(page: Page): Promise<void> {
  await page.evaluate(`new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws')
    window.endOfSocket = new Promise((done) => socket.onclose = ({ code }) => done({ code, at: Date.now() }))
    socket.onopen = resolve
    socket.onerror = () => reject(new Error('the websocket does not open'))
  })`)
}

/** How the websocket of the page was closed, and when. */
const socketClosed = (page: Page) => page.evaluate<{ code: number; at: number }>('window.endOfSocket')

test('idle past the access token’s life: still signed in with a fresh token; then signs out', {
  timeout: 240_000,
}, async (t) => {
  const opened = await openBrowser(t)
  if (opened === undefined) return
  const { journey, page } = opened
  const { gateway, realm } = journey
  await signIn(page, journey)
  const first = lastToken(journey)
  assert.equal(first.exp! - first.iat!, life)
  await until(() => Date.now() > first.exp! * 1000, 'the first token ends', life * 2000)
  await sleep(500)

  await page.reload()
  assert.deepEqual([page.url(), await heading(page)], [`${gateway.origin}/`, 'Hello'])
  const second = lastToken(journey)
  assert.notEqual(second.jti, first.jti)
  assert.ok(second.exp! * 1000 > Date.now(), 'the application gets a token that is alive')
  assert.equal(second.sid, first.sid, 'the session at Keycloak is the same')
  assert.equal((await realm.sessionsOf('ada')).length, 1)

  await page.goto(gateway.own('logout'))
  assert.match(page.url(), /signed-out/)
  assert.equal(await heading(page), 'You are signed out')
  assert.deepEqual(await realm.sessionsOf('ada'), [])
  await page.goto(`${gateway.origin}/`)
  assert.ok(page.url().startsWith(realm.issuer), 'Keycloak asks for the password again')
})

for (const how of ['its session', 'the person'] as const) {
  test(`an administrator signs out ${how}: the browser sees it within a second`, { timeout: 240_000 }, async (t) => {
    const opened = await openBrowser(t)
    if (opened === undefined) return
    const { journey, page } = opened
    const { gateway, realm } = journey
    await signIn(page, journey)
    await openSocket(page)
    const [[sid], user] = [await realm.sessionsOf('ada'), await realm.userId('ada')]
    const asked = Date.now()
    if (how === 'its session') await realm.admin('DELETE', `/sessions/${sid}`)
    else await realm.admin('POST', `/users/${user}/logout`)
    const { code, at } = await socketClosed(page)
    assert.equal(code, 4401)
    assert.ok(at - asked < 1000, `${at - asked} ms`)
    await page.goto(`${gateway.origin}/`)
    assert.ok(page.url().startsWith(realm.issuer), page.url())
    t.diagnostic(`the websocket closed after ${at - asked} ms`)
  })
}
