/** Signing in with a browser, from the first refusal to the page that was wanted. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { signIn } from '../support/browser.ts'
import { minutes } from '../support/clock.ts'
import { flowCookiesOf, reachCallback, sessionCookieOf, signedIn, signInAt, startGateway } from '../support/gateway.ts'

for (const store of ['memory', 'cookie'] as const) {
  describe(`sign-in, store ${store}`, () => {
    test('leads through the provider and back to the address, with its query', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser()
      const page = await browser.navigate(`${gateway.origin}/reports?year=2026&q=a%2Fb`)
      assert.match(page.text, /Who are you today/)
      assert.deepEqual(gateway.application.received, [], 'nobody reaches the application before signing in')
      const visit = await signIn(browser, page, 'ada')
      assert.equal(visit.url, `${gateway.origin}/reports?year=2026&q=a%2Fb`)
      const { headers } = gateway.application.last()
      assert.equal(headers['x-auth-user'], 'ada')
      assert.equal(headers['x-auth-email'], 'ada@example.com')
      assert.equal(headers['x-auth-groups'], '/staff,/admins')
      assert.match(String(headers['x-auth-subject']), /^[\da-f-]{36}$/)
      assert.equal(headers.cookie, undefined)
    })

    test('sets cookies for this host alone, and nothing of it may be stored', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser()
      const page = await browser.navigate(gateway.origin)
      const visit = await signIn(browser, page, 'ada')
      const ours = [...page.hops, ...visit.hops].filter(({ url }) => url.startsWith(gateway.own('')))
      assert.deepEqual(
        ours.map(({ url }) => new URL(url).pathname),
        ['/_doorward/login', '/_doorward/callback'],
      )
      for (const { url, headers, setCookies } of ours) {
        assert.equal(headers.get('cache-control'), 'no-store', url)
        assert.equal(headers.get('referrer-policy'), 'no-referrer', url)
        for (const { header, refused } of setCookies) {
          assert.equal(refused, undefined, header)
          assert.match(header, /^dw-[\da-f]{8}[\w-]*=[\w.-]*; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
        }
      }
      const refusal = page.hops[0]!
      assert.equal(refusal.status, 302)
      assert.equal(refusal.headers.get('cache-control'), 'no-store')
      assert.deepEqual(refusal.setCookies, [], 'a refusal leaves nothing behind in the browser')
      assert.deepEqual(flowCookiesOf(browser), [])
    })

    test('takes a new session id each time, whatever the browser brought', async (t) => {
      const gateway = await startGateway(t, { store })
      const attacker = await signedIn(gateway, 'bob')
      const planted = sessionCookieOf(attacker)!
      const victim = gateway.browser()
      const page = await victim.navigate(gateway.own('login?rd=/'))
      victim.cookies.set(new URL(gateway.origin), `${planted.name}=${planted.value}; Path=/`)
      await signIn(victim, page, 'ada')
      assert.notEqual(sessionCookieOf(victim)?.value, planted.value)
      assert.match((await victim.fetch(gateway.own('session'))).body, /"username":"ada"/)
      assert.equal((await attacker.fetch(gateway.own('session'))).status, 401, 'the planted session is dead')
    })

    test('as somebody else replaces the session of before', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser()
      const late = await browser.navigate(`${gateway.origin}/late`)
      await signInAt(gateway, browser, 'ada', '/early')
      const before = sessionCookieOf(browser)!
      browser.cookies.delete('demo_idp_session')
      const visit = await signIn(browser, late, 'bob')
      assert.equal(visit.url, `${gateway.origin}/late`)
      assert.equal(gateway.application.last().headers['x-auth-user'], 'bob')
      const replay = await gateway
        .browser()
        .fetch(gateway.own('session'), { headers: { cookie: `${before.name}=${before.value}` } })
      assert.equal(replay.status, 401)
      assert.ok(gateway.lines().some(({ event, reason }) => event === 'session_ended' && reason === 'replaced'))
    })

    test('in two tabs works in either order', async (t) => {
      for (const order of [
        [0, 1],
        [1, 0],
      ]) {
        const gateway = await startGateway(t, { store })
        const browser = gateway.browser()
        const tabs = [await browser.navigate(`${gateway.origin}/one`), await browser.navigate(`${gateway.origin}/two`)]
        for (const tab of order) {
          const visit = await signIn(browser, tabs[tab!]!, 'ada')
          assert.equal(visit.url, `${gateway.origin}${['/one', '/two'][tab!]}`)
          assert.equal(visit.status, 200)
        }
      }
    })

    test('opened again from the history leads to the page while the session lives', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser()
      const { callback } = await reachCallback(gateway, browser, '/wanted?a=1')
      await browser.navigate(callback.href)
      const tokens = gateway.idp.counts.token
      const again = await browser.navigate(callback.href)
      assert.equal(again.status, 200)
      assert.equal(gateway.idp.counts.token, tokens, 'a code is redeemed once')
    })

    test('a callback opened 100 times at once redeems its code once', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser()
      const { callback } = await reachCallback(gateway, browser, '/wanted')
      const visits = await Promise.all(
        Array.from({ length: 100 }, () => browser.navigate(callback.href, { follow: 0 })),
      )
      assert.equal(gateway.idp.counts.token, 1)
      // Whoever comes after it is done and without the new cookie starts once more; nobody sees an error.
      for (const { status, headers } of visits) {
        const onward = status === 303 ? `${gateway.origin}/wanted` : `${gateway.issuer}/auth?`
        assert.ok(headers.get('location')?.startsWith(onward), `${status} ${headers.get('location')}`)
      }
    })

    test('that took longer than ten minutes starts once more towards its page', async (t) => {
      const gateway = await startGateway(t, { store })
      const browser = gateway.browser()
      const { callback } = await reachCallback(gateway, browser, '/wanted?a=1')
      gateway.clock.move(11 * minutes)
      const visit = await browser.navigate(callback.href)
      assert.equal(visit.url, `${gateway.origin}/wanted?a=1`)
      assert.equal(visit.status, 200)
      assert.equal(gateway.idp.counts.token, 1)
    })
  })
}

test('asks the provider with PKCE S256, and with a state and nonce that are new each time', async (t) => {
  const gateway = await startGateway(t)
  const seen = new Set<string>()
  for (let round = 0; round < 50; round++) {
    const visit = await gateway.browser().navigate(gateway.own('login?rd=/'), { follow: 0 })
    const query = new URL(visit.headers.get('location')!).searchParams
    assert.equal(query.get('code_challenge_method'), 'S256')
    assert.equal(query.get('response_type'), 'code')
    assert.equal(query.get('redirect_uri'), gateway.own('callback'))
    assert.equal(query.get('response_mode'), null)
    for (const name of ['state', 'nonce', 'code_challenge']) {
      const value = query.get(name)!
      assert.ok(value.length >= 43, `${name} holds 256 bits`)
      seen.add(value)
    }
  }
  assert.equal(seen.size, 150)
})

describe('only a browser that moves to a page is sent to sign in', () => {
  const others: readonly { readonly name: string; readonly headers: Readonly<Record<string, string>> }[] = [
    { name: 'a script', headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' } },
    { name: 'an image', headers: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } },
    { name: 'a frame', headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
    {
      name: 'a prefetch',
      headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch' },
    },
    { name: 'an old script', headers: { 'x-requested-with': 'XMLHttpRequest', accept: 'text/html' } },
  ]

  test('others get 401 with login_url, and no flow cookie', async (t) => {
    const gateway = await startGateway(t)
    for (const { name, headers } of others) {
      for (const address of [gateway.own('login?rd=/wanted'), `${gateway.origin}/wanted`]) {
        const visit = await gateway.browser().fetch(address, { headers: { accept: 'text/html', ...headers } })
        assert.equal(visit.status, 401, `${name} at ${address}`)
        assert.deepEqual(visit.headers.getSetCookie(), [], name)
        const body = JSON.parse(visit.body)
        assert.equal(body.login_url, gateway.own(`login?rd=${encodeURIComponent(`${gateway.origin}/wanted`)}`))
      }
    }
    assert.equal(gateway.idp.counts.authorization, 0)
  })

  test('20 tabs restored at once leave at most five flow cookies', async (t) => {
    const gateway = await startGateway(t)
    const browser = gateway.browser()
    for (let tab = 0; tab < 20; tab++) {
      gateway.clock.move(10)
      const visit = await browser.navigate(`${gateway.origin}/tab/${tab}`)
      assert.match(visit.text, /Who are you today/)
    }
    const flows = flowCookiesOf(browser)
    assert.ok(flows.length <= 5, `${flows.length}`)
    assert.ok(flows.reduce((sum, { name, value }) => sum + name.length + value.length, 0) <= 4096)
  })
})

test('while the provider is down the gateway starts, serves what is public, and recovers', async (t) => {
  const gateway = await startGateway(t, { providerDown: true })
  const browser = gateway.browser()
  assert.equal((await browser.navigate(`${gateway.origin}/public/`)).status, 200)
  const refused = await browser.navigate(`${gateway.origin}/wanted`)
  assert.equal(refused.status, 503)
  assert.match(refused.text, /Signing in is not possible right now/)
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/)
  assert.deepEqual(flowCookiesOf(browser), [])
  gateway.idp.fail(undefined)
  gateway.clock.move(minutes)
  const page = await browser.click(refused, 'Try again')
  assert.equal((await signIn(browser, page, 'ada')).url, `${gateway.origin}/wanted`)
})
