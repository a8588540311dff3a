/** Signing out: here, at the provider, and for good. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { corpus } from '../support/corpus.ts'
import { sessionCookieOf, signedIn, signInAt, startGateway } from '../support/gateway.ts'

for (const store of ['memory', 'cookie'] as const) {
  describe(`sign-out, store ${store}`, () => {
    test('ends the session here and at the provider, and a copied cookie stays dead', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const copied = browser.cookies.header(new URL(gateway.origin))!
      const visit = await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: { rd: '/after' } })
      const [ours, provider] = visit.hops
      assert.equal(ours!.status, 303)
      assert.equal(ours!.headers.get('cache-control'), 'no-store')
      const asked = new URL(provider!.url).searchParams
      assert.equal(asked.get('client_id'), 'gateway')
      assert.equal(asked.get('post_logout_redirect_uri'), gateway.own('signed-out'))
      assert.ok(asked.get('id_token_hint'), 'the provider need not ask')
      assert.match(visit.text, /You are signed out/)
      assert.equal(sessionCookieOf(browser), undefined)
      const replay = await gateway.browser().fetch(gateway.own('session'), { headers: { cookie: copied } })
      assert.equal(replay.status, 401)
      const later = await browser.click(visit, 'Sign in again')
      assert.match(later.text, /Who are you today/, 'the provider has forgotten the browser too')
      assert.ok(gateway.lines().some(({ event, username }) => event === 'logout' && username === 'ada'))
    })

    test('by a link of another site is asked first; by our own or typed it is done', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const asked = await browser.navigate(gateway.own('logout?rd=/after'), { from: 'https://evil.example/page' })
      assert.equal(asked.status, 200)
      assert.match(asked.text, /Sign out\?/)
      assert.equal((await browser.fetch(gateway.own('session'))).status, 200)
      assert.equal((await browser.click(asked, 'Stay signed in')).url, `${gateway.origin}/after`)
      assert.match((await browser.click(asked, 'Sign out')).text, /You are signed out/)
      assert.equal((await browser.fetch(gateway.own('session'))).status, 401)
      await signInAt(gateway, browser)
      assert.match((await browser.navigate(gateway.own('logout'))).text, /You are signed out/)
      assert.equal((await browser.fetch(gateway.own('session'))).status, 401)
    })

    test('by a form or script of another site is refused', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway)
      const cookie = browser.cookies.header(new URL(gateway.origin))!
      for (const headers of foreignRequests) {
        // SameSite keeps the cookie at home; a sibling host or an old browser would send it.
        const visit = await browser.fetch(gateway.own('logout'), { method: 'POST', headers: { cookie, ...headers } })
        assert.equal(visit.status, 403, JSON.stringify(headers))
      }
      assert.equal((await browser.fetch(gateway.own('session'))).status, 200)
    })

    test('as someone else leads to a new sign-in and back to the page', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = await signedIn(gateway, 'bob')
      const refused = await browser.navigate(`${gateway.origin}/admin/?a=1`)
      assert.equal(refused.status, 403)
      const page = await browser.click(refused, 'Sign in as someone else')
      assert.match(page.text, /Who are you today/)
      const visit = await browser.submit(page, { username: 'ada', password: 'ada' }, 'Sign in')
      assert.equal(visit.url, `${gateway.origin}/admin/?a=1`)
      assert.equal(visit.status, 200)
    })
  })
}

const foreignRequests: readonly Readonly<Record<string, string>>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
]

test('`afterLogout: resume` signs in again and returns; otherwise nobody is signed in by signing out', async (t) => {
  const gateway = await startGateway(t, { config: { login: { afterLogout: 'resume' } } })
  const browser = await signedIn(gateway)
  const visit = await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: { rd: '/after' } })
  assert.match(visit.text, /Who are you today/)
  const back = await browser.submit(visit, { username: 'bob', password: 'bob' }, 'Sign in')
  assert.equal(back.url, `${gateway.origin}/after`)
})

test('`providerLogout: false` stays here, says so, and the page does not sign in by itself', async (t) => {
  const gateway = await startGateway(t, { config: { login: { providerLogout: false } } })
  const browser = await signedIn(gateway)
  const visit = await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {} })
  assert.ok(visit.url.startsWith(gateway.own('signed-out')))
  assert.equal(gateway.idp.counts.end_session, 0)
  assert.match(visit.text, /may still be signed in at localhost/)
  assert.equal((await browser.click(visit, 'Sign in again')).status, 200, 'the provider knows the browser still')
})

test('with the provider down our session ends all the same', async (t) => {
  const gateway = await startGateway(t)
  const browser = await signedIn(gateway)
  gateway.idp.fail(500)
  const visit = await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
  assert.equal(visit.status, 303)
  assert.equal((await browser.fetch(gateway.own('session'))).status, 401)
})

test('a forged or foreign signed-out state leads nowhere but home', async (t) => {
  const gateway = await startGateway(t, { config: { login: { afterLogout: 'resume' } } })
  for (const state of ['', 'x', 'AAAA.BBBB', 'https://evil.example']) {
    const visit = await gateway.browser().navigate(gateway.own(`signed-out?state=${encodeURIComponent(state)}`))
    assert.equal(visit.status, 200)
    assert.match(visit.text, /You are signed out/)
  }
})

describe('where a person may be sent afterwards', () => {
  test('never to another site or to a page of ours: login, logout and renew', async (t) => {
    const gateway = await startGateway(t, { config: { login: { providerLogout: false, afterLogout: 'resume' } } })
    const browser = await signedIn(gateway)
    const home = `${gateway.origin}/`
    const bad = [
      ...corpus.openRedirect.map((value) => value.replaceAll('app.example.com', new URL(gateway.origin).host)),
      ...corpus.openRedirectSelf.map((value) =>
        value.replaceAll('{AUTH}', '/_doorward').replaceAll('https://app.example.com', gateway.origin),
      ),
    ]
    for (const value of bad) {
      const query = `rd=${encodeURIComponent(value.toWellFormed())}`
      for (const page of ['login', 'renew']) {
        gateway.clock.move(61_000)
        const visit = await browser.navigate(gateway.own(`${page}?${query}`), { follow: 0 })
        assert.equal(visit.headers.get('location'), home, `${page} ${JSON.stringify(value)}`)
      }
    }
    for (const value of bad.slice(0, 20)) {
      const visit = await browser.fetch(gateway.own('logout'), {
        method: 'POST',
        from: gateway.origin,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `rd=${encodeURIComponent(value.toWellFormed())}`,
      })
      const signedOut = await browser.navigate(visit.headers.get('location')!, { follow: 0 })
      const login = new URL(signedOut.headers.get('location')!)
      assert.equal(login.searchParams.get('rd'), home, JSON.stringify(value))
    }
  })

  test('to any honest address of ours, unchanged', async (t) => {
    const gateway = await startGateway(t)
    const browser = await signedIn(gateway)
    for (const value of corpus.openRedirectAllowed) {
      if (/^https:..app.example.com:443/i.test(value)) continue
      gateway.clock.move(61_000)
      const written = value.replace(/^https:\/\/app\.example\.com/i, gateway.origin)
      const visit = await browser.navigate(gateway.own(`login?rd=${encodeURIComponent(written)}`), { follow: 0 })
      assert.equal(visit.headers.get('location'), new URL(written, gateway.origin).href, value)
    }
  })
})
