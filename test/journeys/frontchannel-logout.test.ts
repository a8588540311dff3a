/** Front-channel logout: a frame in the provider's sign-out page, which proves nothing and so may do little. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Browser } from '../support/browser.ts'
import type { TestGateway } from '../support/gateway.ts'
import { isSignedIn, openLogoutWorld } from '../support/logout-world.ts'

const { provider, other, gatewayOf, signIn, close } = await openLogoutWorld()
after(close)

/** As the frame asks. The two live on one host, so that SameSite=Lax lets the cookie through. */
const frame = (gateway: TestGateway, browser: Browser, query: Readonly<Record<string, string>>, more = '') =>
  browser.navigate(`${gateway.own('frontchannel-logout')}?${new URLSearchParams(query)}${more}`, {
    from: `${provider.issuer}/logout`,
    headers: { 'sec-fetch-dest': 'iframe' },
  })

test('ends the session of this browser, shows a page the provider alone may frame, and tells the provider nothing', async (t) => {
  const gateway = await gatewayOf(t)
  const [mine, elsewhere] = [await signIn(gateway, 'sid-1'), await signIn(gateway, 'sid-1')]
  const copied = mine.cookies.header(new URL(gateway.origin))!
  const calls = { ...provider.calls }
  const page = await frame(gateway, mine, { iss: provider.issuer, sid: 'sid-1' })
  assert.equal(page.status, 200)
  assert.equal(page.headers.get('cache-control'), 'no-store')
  assert.equal(page.headers.get('x-frame-options'), null)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, new RegExp(`frame-ancestors ${new URL(provider.issuer).origin}$`))
  assert.equal(await isSignedIn(gateway, mine), false)
  const replay = await gateway.browser().fetch(gateway.own('session'), { headers: { cookie: copied } })
  assert.equal(replay.status, 401)
  assert.equal(await isSignedIn(gateway, elsewhere), true, 'another browser proved nothing of its own')
  assert.deepEqual(provider.calls, calls, 'no token is revoked')
  assert.ok(gateway.lines().some(({ event, by }) => event === 'logout' && by === 'provider'))
})

test('does nothing for another session, another issuer, or nobody', async (t) => {
  const gateway = await gatewayOf(t)
  const browser = await signIn(gateway, 'sid-1')
  assert.equal((await frame(gateway, browser, { iss: provider.issuer, sid: 'sid-2' })).status, 200)
  assert.equal((await frame(gateway, browser, { iss: other.issuer, sid: 'sid-1' })).status, 200)
  assert.equal((await frame(gateway, gateway.browser(), { iss: provider.issuer, sid: 'sid-1' })).status, 200)
  assert.equal(await isSignedIn(gateway, browser), true)
})

test('without both values, with one twice, or from no provider of ours it is 400', async (t) => {
  const gateway = await gatewayOf(t)
  const browser = await signIn(gateway, 'sid-1')
  const { issuer: iss } = provider
  for (const [query, more] of [
    [{}, ''],
    [{ iss }, ''],
    [{ sid: 'sid-1' }, ''],
    [{ iss: 'https://evil.example', sid: 'sid-1' }, ''],
    [{ iss, sid: 'sid-2' }, '&sid=sid-1'],
  ] as const) {
    const page = await frame(gateway, browser, query as Record<string, string>, more)
    assert.equal(page.status, 400, JSON.stringify(query))
    assert.equal(page.headers.get('x-frame-options'), 'DENY')
  }
  assert.equal(await isSignedIn(gateway, browser), true)
})
