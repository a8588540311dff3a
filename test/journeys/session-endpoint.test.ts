/** `session` and `session/refresh`, and how long a session lives. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hours, minutes, seconds } from '../support/clock.ts'
import { sessionCookieOf, signedIn, signInAt, startGateway, until } from '../support/gateway.ts'

for (const store of ['memory', 'cookie'] as const) {
  describe(`session, store ${store}`, () => {
    test('tells who it is and until when, and never a token', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const visit = await browser.fetch(gateway.own('session'), { from: gateway.origin })
      assert.equal(visit.status, 200)
      assert.equal(visit.headers.get('cache-control'), 'no-store')
      const { expiresAt, idleExpiresAt, subject, ...rest } = JSON.parse(visit.body)
      assert.deepEqual(rest, {
        authenticated: true,
        username: 'ada',
        email: 'ada@example.com',
        name: 'Ada Lovelace',
        groups: ['/staff', '/admins'],
        realmRoles: ['admin'],
        provider: 'default',
      })
      assert.match(subject, /^[\da-f-]{36}$/)
      near(expiresAt, gateway.clock.now() + 12 * hours)
      near(idleExpiresAt, gateway.clock.now() + 1 * hours)
      assert.doesNotMatch(visit.body, /token|eyJ/i)
    })

    test('answers 401 in JSON to nobody', async (t) => {
      const gateway = await startGateway(t, { store })
      const visit = await gateway.browser().fetch(gateway.own('session'), { from: gateway.origin })
      assert.equal(visit.status, 401)
      const body = JSON.parse(visit.body)
      assert.equal(body.authenticated, false)
      assert.ok(body.login_url.startsWith(gateway.own('login?rd=')))
      assert.match(visit.headers.get('www-authenticate') ?? '', /^Session realm="doorward", login_url="/)
    })

    test('refresh brings the groups of now, for the application too', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway, 'bob')
      assert.equal((await browser.navigate(`${gateway.origin}/admin/`)).status, 403)
      const id = sessionCookieOf(browser)?.value
      gateway.idp.accounts.change('bob', { groups: ['/staff', '/admins'] })
      const visit = await browser.fetch(gateway.own('session/refresh'), { method: 'POST', from: gateway.origin })
      assert.equal(visit.status, 200)
      assert.deepEqual(JSON.parse(visit.body).groups, ['/staff', '/admins'])
      assert.equal(JSON.parse(visit.body).renewed, true)
      assert.equal(sessionCookieOf(browser)?.value === id, store === 'memory')
      assert.equal((await browser.navigate(`${gateway.origin}/admin/`)).status, 200)
    })

    test('refresh by another site is refused', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const cookie = browser.cookies.header(new URL(gateway.origin))!
      const tokens = gateway.idp.counts.token
      for (const headers of [
        { origin: 'https://evil.example' },
        { 'sec-fetch-site': 'cross-site' },
        { origin: 'null' },
      ]) {
        const visit = await browser.fetch(gateway.own('session/refresh'), {
          method: 'POST',
          headers: { cookie, ...headers },
        })
        assert.equal(visit.status, 403)
      }
      assert.equal(gateway.idp.counts.token, tokens)
    })

    test('ends when nobody asks for an hour, and goes on while somebody does', async (t) => {
      const gateway = await startGateway(t, { store, lifetimes: { accessToken: 100_000 } })
      const browser = await signedIn(gateway)
      for (let round = 0; round < 5; round++) {
        gateway.clock.move(50 * minutes)
        assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200, `round ${round}`)
      }
      gateway.clock.move(61 * minutes)
      const late = await browser.fetch(`${gateway.origin}/x`)
      assert.equal(late.status, 401)
      assert.equal(JSON.parse(late.body).error, 'session_expired')
      assert.equal(sessionCookieOf(browser), undefined, 'a cookie of no use is removed')
    })

    test('ends after its lifetime, however busy, and a kept cookie is of no use then', async (t) => {
      const gateway = await startGateway(t, { store, session: { lifetime: '2h' }, lifetimes: { accessToken: 100_000 } })
      const browser = await signedIn(gateway)
      for (let round = 0; round < 3; round++) {
        gateway.clock.move(35 * minutes)
        assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
      }
      const cookie = browser.cookies.header(new URL(gateway.origin))!
      gateway.clock.move(20 * minutes)
      const late = await gateway.browser().fetch(`${gateway.origin}/x`, { headers: { cookie } })
      assert.equal(late.status, 401)
    })
  })
}

test('a sealed session gets a fresh cookie on an ordinary answer, uncacheable', async (t) => {
  const gateway = await startGateway(t, { store: 'cookie', lifetimes: { accessToken: 100_000 } })
  const browser = await signedIn(gateway)
  const before = sessionCookieOf(browser)?.value
  gateway.clock.move(10 * minutes)
  assert.deepEqual((await browser.fetch(`${gateway.origin}/x`)).setCookies, [])
  gateway.clock.move(10 * minutes)
  const visit = await browser.fetch(`${gateway.origin}/x`)
  assert.equal(visit.status, 200)
  assert.equal(visit.headers.get('cache-control'), 'no-store')
  assert.notEqual(sessionCookieOf(browser)?.value, before)
})

describe('renewal at the provider', () => {
  test('runs behind the scenes before the token ends, once for fifty requests', async (t) => {
    const gateway = await startGateway(t)
    const browser = await signedIn(gateway)
    gateway.idp.accounts.change('ada', { groups: ['/new'] })
    gateway.clock.move(250 * seconds)
    const visits = await Promise.all(Array.from({ length: 50 }, () => browser.fetch(`${gateway.origin}/x`)))
    assert.ok(visits.every(({ status }) => status === 200))
    await until(() => gateway.idp.counts.token === 2, 'one refresh')
    await until(async () => {
      await browser.fetch(`${gateway.origin}/x`)
      return gateway.application.last().headers['x-auth-groups'] === '/new'
    }, 'the new groups at the application')
    assert.equal(gateway.idp.counts.token, 2)
  })

  for (const store of ['memory', 'cookie'] as const) {
    test(`after the token's end fifty requests wait for one refresh (${store})`, async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      gateway.idp.accounts.change('ada', { groups: ['/new'] })
      gateway.clock.move(320 * seconds)
      const visits = await Promise.all(Array.from({ length: 50 }, () => browser.fetch(`${gateway.origin}/x`)))
      assert.ok(visits.every(({ status }) => status === 200))
      assert.equal(gateway.idp.counts.token, 2)
      assert.equal(gateway.application.last().headers['x-auth-groups'], '/new')
      assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
      assert.equal(gateway.idp.counts.token, 2)
    })

    test(`a provider that is down costs nobody the session (${store})`, async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      gateway.idp.fail(503)
      gateway.clock.move(320 * seconds)
      for (let round = 0; round < 5; round++) {
        assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
      }
      assert.equal(gateway.idp.counts.token, 2, 'and is not asked by each request')
      gateway.idp.fail(undefined)
      gateway.clock.move(11 * seconds)
      assert.equal((await browser.fetch(`${gateway.origin}/x`)).status, 200)
      assert.equal(gateway.idp.counts.token, 3)
      assert.ok(
        gateway.lines().some(({ event, errorClass }) => event === 'refresh_failed' && errorClass === 'transient'),
      )
    })

    test(`the provider's word ends it, once (${store})`, async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const copied = browser.cookies.header(new URL(gateway.origin))!
      gateway.idp.revokeAll()
      gateway.clock.move(320 * seconds)
      const visits = await Promise.all(Array.from({ length: 20 }, () => browser.fetch(`${gateway.origin}/x`)))
      assert.deepEqual(new Set(visits.map(({ status }) => status)), new Set([401]))
      assert.equal(gateway.idp.counts.token, 2)
      assert.equal(gateway.lines().filter(({ event }) => event === 'session_ended').length, 1)
      const replay = await gateway.browser().fetch(`${gateway.origin}/x`, { headers: { cookie: copied } })
      assert.equal(replay.status, 401)
      assert.equal(gateway.idp.counts.token, 2)
      assert.match((await browser.navigate(gateway.origin)).text, /Who are you today/)
    })
  }
})

describe('behind an ingress, where an allowed answer sets no cookie', () => {
  test('a sealed session is renewed by one hop of a navigation; a script goes on with what it has', async (t) => {
    const gateway = await startGateway(t, {
      store: 'cookie',
      config: { forwardAuth: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] },
    })
    const browser = await signedIn(gateway)
    const target = `${gateway.origin}/page?a=1`
    const ask = async (more: Readonly<Record<string, string>>) => {
      const { host, pathname, search } = new URL(target)
      return browser.fetch(new URL('/auth/traefik', gateway.server.addresses.forwardAuth).href, {
        headers: {
          cookie: browser.cookies.header(new URL(gateway.origin))!,
          'x-forwarded-method': 'GET',
          'x-forwarded-proto': 'http',
          'x-forwarded-host': host,
          'x-forwarded-uri': pathname + search,
          ...more,
        },
      })
    }
    const navigation = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    assert.equal((await ask(navigation)).status, 200)
    gateway.clock.move(320 * seconds)
    const script = await ask({})
    assert.equal(script.status, 200)
    assert.deepEqual(script.setCookies, [])
    assert.equal(gateway.idp.counts.token, 1)
    const hop = await ask(navigation)
    assert.equal(hop.status, 302)
    const address = hop.headers.get('location')!
    assert.equal(address, gateway.own(`renew?rd=${encodeURIComponent(target)}`))
    const before = sessionCookieOf(browser)?.value
    const back = await browser.navigate(address, { follow: 0 })
    assert.equal(back.headers.get('location'), target)
    assert.notEqual(sessionCookieOf(browser)?.value, before)
    assert.equal(gateway.idp.counts.token, 2)
    assert.equal((await ask(navigation)).status, 200)
    assert.equal((await ask({ accept: '*/*' })).headers.get('x-auth-user'), 'ada')
  })
})

test('in front of the application itself the cookie is renewed on the way, without a hop', async (t) => {
  const gateway = await startGateway(t, { store: 'cookie', session: { idle: '8m' } })
  const browser = await signedIn(gateway)
  const before = sessionCookieOf(browser)?.value
  gateway.clock.move(130 * seconds)
  const visit = await browser.navigate(`${gateway.origin}/x`, { follow: 0 })
  assert.equal(visit.status, 200, visit.text)
  assert.notEqual(sessionCookieOf(browser)?.value, before)
})

test('a browser that keeps no renewed cookie is not sent through the hop for ever', async (t) => {
  const gateway = await startGateway(t, { store: 'cookie' })
  let keeps = true
  const browser = gateway.browser({ keeps: (name) => keeps || name.endsWith('-marker') })
  await signInAt(gateway, browser)
  keeps = false
  gateway.clock.move(320 * seconds)
  const statuses: number[] = []
  for (let round = 0; round < 4; round++) {
    statuses.push((await browser.navigate(gateway.own('renew?rd=/x'), { follow: 0 })).status)
  }
  assert.deepEqual(statuses, [303, 303, 303, 508])
})

function near(text: string, expected: number): void {
  assert.ok(Math.abs(Date.parse(text) - expected) < 60_000, text)
}
