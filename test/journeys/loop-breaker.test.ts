/** A sign-in that goes round in circles stops, and names the cause. One that does not is never stopped. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { signIn } from '../support/browser.ts'
import { hours } from '../support/clock.ts'
import { freePort } from '../support/free-port.ts'
import { sessionCookieOf, signedIn, signInAt, startGateway } from '../support/gateway.ts'
import { startTlsFront } from '../support/tls-front.ts'

const isSession = (name: string): boolean => /^(?:__Host-Http-)?dw-[\da-f]{8}(?:-2)?$/.test(name)
const isOurs = (name: string): boolean => /^(?:__Host-Http-)?dw-[\da-f]{8}/.test(name)

for (const store of ['memory', 'cookie'] as const) {
  describe(`loop breaker, store ${store}`, () => {
    test('a session cookie that never comes back: three sign-ins, then the loop page', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser({ keeps: (name) => !isSession(name) })
      const page = await browser.navigate(gateway.origin)
      const visit = await signIn(browser, page, 'ada')
      assert.equal(visit.status, 508)
      assert.match(visit.text, /goes round in circles/)
      assert.match(visit.text, /did not send our cookie back/)
      assert.equal(visit.headers.get('cache-control'), 'no-store')
      assert.equal(gateway.idp.counts.token, 3)
      assert.ok(
        gateway.lines().some(({ level, findings }) => level === 'warn' && String(findings) === 'cookies_blocked'),
      )
      const again = await browser.click(visit, 'Try once more')
      assert.equal(again.status, 508)
      assert.equal(gateway.idp.counts.token, 6, 'the count starts anew after the page')
    })

    test('a live session that is sent to login again and again', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const statuses: number[] = []
      for (let round = 0; round < 4; round++) {
        const visit = await browser.navigate(gateway.own('login?rd=/wanted'), { follow: 0 })
        statuses.push(visit.status)
      }
      assert.equal(statuses[0], 303)
      assert.ok(statuses.includes(508), statuses.join(' '))
      assert.equal((await browser.navigate(`${gateway.origin}/wanted`)).status, 200, 'the session itself is untouched')
    })

    test('twenty tabs restored at once never see it', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      gateway.clock.move(2 * hours)
      const tabs = Array.from({ length: 20 }, (_, tab) => browser.navigate(`${gateway.origin}/tab/${tab}`))
      const statuses = (await Promise.all(tabs)).map(({ status }) => status)
      assert.ok(!statuses.includes(508), statuses.join(' '))
      assert.ok(sessionCookieOf(browser))
    })

    test('signing out and in again many times is not a circle', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser()
      for (let round = 0; round < 5; round++) {
        await signInAt(gateway, browser)
        await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {} })
      }
    })
  })
}

test('a browser that keeps none of our cookies gets a page, and after three times the loop page', async (t) => {
  const gateway = await startGateway(t)
  const browser = gateway.browser({ keeps: (name) => !isOurs(name) })
  let visit = await signIn(browser, await browser.navigate(gateway.origin), 'ada')
  for (let round = 1; round < 3; round++) {
    assert.equal(visit.status, 400, `round ${round}: ${visit.text}`)
    assert.match(visit.text, /does not keep cookies/)
    visit = await browser.click(visit, 'Sign in again')
  }
  assert.equal(visit.status, 508)
  assert.equal(gateway.idp.counts.token, 0)
})

describe('behind a load balancer that ends TLS', () => {
  test('sign-in works, with a __Host-Http- cookie that is Secure', async (t) => {
    const front = await freePort()
    const gateway = await startGateway(t, {
      publicUrl: () => `https://app.test:${front}`,
      config: { trustedProxies: ['127.0.0.1'] },
    })
    await startTlsFront(t, { port: front, target: gateway.port })
    const browser = await signedIn(gateway, 'ada', '/wanted')
    const cookie = sessionCookieOf(browser)!
    assert.match(cookie.name, /^__Host-Http-dw-/)
    assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.hostOnly], [true, true, true])
    assert.equal(gateway.application.last().headers['x-forwarded-proto'], 'https')
  })

  test('one that says http: the loop page names the Secure cookie', async (t) => {
    const front = await freePort()
    const gateway = await startGateway(t, {
      publicUrl: () => `https://app.test:${front}`,
      config: { trustedProxies: ['127.0.0.1'] },
    })
    await startTlsFront(t, { port: front, target: gateway.port, proto: 'http' })
    const browser = gateway.browser()
    const visit = await signIn(browser, await browser.navigate(gateway.origin), 'ada')
    assert.equal(visit.status, 508)
    assert.match(visit.text, /without encryption/)
    assert.match(visit.text, /trustedProxies/)
  })

  test('a session cookie is never set for http, whatever an untrusted peer says', async (t) => {
    const front = await freePort()
    const gateway = await startGateway(t, { publicUrl: () => `https://app.test:${front}` })
    await startTlsFront(t, { port: front, target: gateway.port, proto: 'http' })
    const browser = await signedIn(gateway)
    assert.ok(sessionCookieOf(browser)?.secure)
  })
})
