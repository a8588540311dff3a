/** Sessions whose end the provider names (`refresh_expires_in`): kept alive by who is there, over for who was away. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { minutes } from '../support/clock.ts'
import {
  type GatewayOptions,
  sessionCookieOf,
  signedIn,
  startGateway,
  type TestGateway,
  until,
} from '../support/gateway.ts'
import { openWebSocket } from '../support/websocket.ts'

/** Keycloak with an access token of an hour and an SSO Session Idle of thirty minutes. */
const short = { accessToken: 3600, refreshToken: 1800 }
const lives = { idle: '2h', lifetime: '12h' }

const sessionOf = async (gateway: TestGateway, browser: Awaited<ReturnType<typeof signedIn>>) => {
  const { status, body } = await browser.fetch(gateway.own('session'), { from: gateway.origin })
  return { status, ...JSON.parse(body) }
}
const failures = (gateway: TestGateway) => gateway.lines().filter(({ event }) => event === 'refresh_failed')

for (const store of ['memory', 'cookie'] as const) {
  const options: GatewayOptions = { store, session: lives, lifetimes: short }

  describe(`the provider's end, store ${store}`, () => {
    test('nothing promises more than the provider, and somebody who is there is not thrown out', async (t) => {
      const gateway = await startGateway(t, options)
      const browser = await signedIn(gateway)
      const { expiresAt } = await sessionOf(gateway, browser)
      assert.ok(isNear(expiresAt, gateway.clock.now() + 30 * minutes), expiresAt)
      for (let round = 1; round <= 6; round++) {
        gateway.clock.move(20 * minutes)
        assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200, `round ${round}`)
        gateway.clock.move(5 * minutes)
        assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
        await until(async () => {
          const { expiresAt, idleExpiresAt } = await sessionOf(gateway, browser)
          return isNear(expiresAt, gateway.clock.now() + 30 * minutes) && idleExpiresAt === expiresAt
        }, 'a new promise')
        assert.equal(gateway.idp.counts.token, 1 + round, 'one refresh in each round')
      }
    })

    test('who was away signs in again, and the provider is not asked', async (t) => {
      const gateway = await startGateway(t, options)
      const browser = await signedIn(gateway)
      const cookie = browser.cookies.header(new URL(gateway.origin))!
      const opened = await openWebSocket(t, `${gateway.origin}/ws`, { cookie, origin: gateway.origin })
      assert.ok(opened.kind === 'open')
      gateway.clock.move(31 * minutes)
      assert.equal(await opened.closed, 4401, 'a websocket does not outlive it')
      const late = await browser.fetch(`${gateway.origin}/x`)
      assert.deepEqual([late.status, JSON.parse(late.body).error], [401, 'session_expired'])
      assert.equal(sessionCookieOf(browser), undefined)
      const replay = await gateway.browser().fetch(`${gateway.origin}/x`, { headers: { cookie } })
      assert.equal(replay.status, 401)
      assert.equal(gateway.idp.counts.token, 1)
      const [failed, ...more] = failures(gateway)
      assert.deepEqual([failed?.errorClass, more], ['terminal', []])
      assert.match(String(failed?.detail), /^the refresh token ran out at .*Z, unused/)
      assert.equal((await browser.navigate(`${gateway.origin}/x`)).status, 200, 'the provider knows the browser still')
    })

    test('our own pages do not call anybody signed in by it', async (t) => {
      const gateway = await startGateway(t, options)
      const browser = await signedIn(gateway)
      gateway.clock.move(31 * minutes)
      assert.equal((await sessionOf(gateway, browser)).status, 401)
      assert.equal(failures(gateway).length, 1)
      assert.equal(gateway.idp.counts.token, 1)
    })

    test('signing out after it still reaches the provider, hint and all', async (t) => {
      const gateway = await startGateway(t, options)
      const browser = await signedIn(gateway)
      gateway.clock.move(31 * minutes)
      const visit = await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {} })
      assert.match(visit.text, /You are signed out/)
      assert.equal(gateway.idp.counts.end_session, 1)
    })

    test('the provider being down does not stretch it, and costs nobody the session before', async (t) => {
      const gateway = await startGateway(t, options)
      const browser = await signedIn(gateway)
      gateway.idp.fail(503)
      gateway.clock.move(29 * minutes)
      assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
      gateway.clock.move(2 * minutes)
      assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 401)
      assert.equal(gateway.idp.counts.token, 2)
    })
  })
}

describe('behind an ingress, where an allowed answer sets no cookie', () => {
  async function openAsked(t: TestContext) {
    const gateway = await startGateway(t, {
      store: 'cookie',
      session: lives,
      lifetimes: short,
      config: { forwardAuth: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] },
    })
    const browser = await signedIn(gateway)
    const { host } = new URL(gateway.origin)
    const ask = (more: Readonly<Record<string, string>> = {}) =>
      browser.fetch(new URL('/auth/traefik', gateway.server.addresses.forwardAuth).href, {
        headers: {
          cookie: browser.cookies.header(new URL(gateway.origin))!,
          'x-forwarded-method': 'GET',
          'x-forwarded-proto': 'http',
          'x-forwarded-host': host,
          'x-forwarded-uri': '/x',
          ...more,
        },
      })
    return { gateway, browser, ask }
  }

  test('a script too is told that it is over', async (t) => {
    const { gateway, ask } = await openAsked(t)
    gateway.clock.move(20 * minutes)
    assert.equal((await ask()).status, 200)
    gateway.clock.move(11 * minutes)
    assert.equal((await ask()).status, 401)
    assert.equal(gateway.idp.counts.token, 1)
  })

  test('a page that only its scripts keep busy stays signed in, and the next navigation fetches the cookie', async (t) => {
    const { gateway, browser, ask } = await openAsked(t)
    const before = sessionCookieOf(browser)?.value
    for (let minute = 1; minute <= 90; minute++) {
      gateway.clock.move(1 * minutes)
      assert.equal((await ask()).status, 200, `minute ${minute}`)
    }
    assert.equal(gateway.idp.counts.token, 4, 'as late as may be: after 27, 54 and 81 minutes')
    assert.equal(sessionCookieOf(browser)?.value, before)
    const hop = await ask({ accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })
    assert.equal(hop.status, 302)
    assert.equal((await browser.navigate(hop.headers.get('location')!)).status, 200)
    assert.notEqual(sessionCookieOf(browser)?.value, before)
  })

  test('a navigation is redirected to its cookie even then, and renews once', async (t) => {
    const { gateway, ask } = await openAsked(t)
    gateway.clock.move(28 * minutes)
    const hop = await ask({ accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })
    assert.deepEqual([hop.status, gateway.idp.counts.token], [302, 1])
  })
})

const isNear = (text: string, expected: number): boolean => Math.abs(Date.parse(text) - expected) < 60_000
