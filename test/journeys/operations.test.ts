/** What operators see: probes, status, metrics, the log; and what nobody may see there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../support/clock.ts'
import {
  clientSecret,
  reachCallback,
  sessionSecret,
  signedIn,
  signInAt,
  startGateway,
  until,
} from '../support/gateway.ts'

test('healthz, readyz and status answer, and tell of the provider', async (t) => {
  const gateway = await startGateway(t, { providerDown: true })
  const ask = async (path: string) => {
    const answer = await fetch(new URL(path, gateway.server.addresses.operations))
    return { status: answer.status, body: JSON.parse(await answer.text()) }
  }
  assert.equal((await ask('/healthz')).status, 200)
  await until(async () => (await ask('/readyz')).body.dependencies['provider default']?.detail, 'the fault is told')
  const down = await ask('/readyz')
  assert.equal(down.status, 200, 'people who are signed in go on working')
  assert.equal(down.body.dependencies['provider default'].ok, false)
  gateway.idp.fail(undefined)
  gateway.clock.move(60 * seconds)
  await signedIn(gateway)
  const up = await ask('/readyz')
  assert.equal(up.body.dependencies['provider default'].ok, true)
  const status = await ask('/status')
  assert.equal(status.body.store, 'memory')
  assert.match(status.body.configHash, /^[\da-f]{12}$/)
  assert.ok(!JSON.stringify(status.body).includes(sessionSecret))
  assert.equal((await gateway.browser().fetch(`${gateway.origin}/healthz`)).status, 401, 'nothing of it is public')
})

test('metrics count verdicts, sign-ins, refreshes and upstream 401s, under labels of the file alone', async (t) => {
  const gateway = await startGateway(t)
  gateway.application.on('/denied', (_request, response) => void response.writeHead(401).end())
  const ada = await signedIn(gateway)
  const bob = await signedIn(gateway, 'bob')
  await bob.fetch(`${gateway.origin}/admin/x`)
  await ada.fetch(`${gateway.origin}/denied`)
  for (let round = 0; round < 50; round++) await gateway.browser().fetch(`${gateway.origin}/made-up/${round}`)
  await ada.fetch(gateway.own('session/refresh'), { method: 'POST', from: gateway.origin })
  await ada.navigate(gateway.own('logout'), { from: gateway.origin, form: {} })
  const text = await gateway.metrics()
  const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
  assert.ok(value(/verdicts_total\{[^}]*kind="forbid"[^}]*\} (\d+)/) || value(/verdict="forbid"[^}]*\} (\d+)/), text)
  assert.match(text, /login\w*\{[^}]*"ok"[^}]*\} 2/)
  assert.match(text, /refresh\w*\{[^}]*"ok"[^}]*\} 1/)
  assert.match(text, /logout\w*\{[^}]*"person"[^}]*\} 1/)
  assert.match(text, /upstream_unauthorized\w*\{[^}]*\} 1/)
  assert.doesNotMatch(text, /made-up|ada|bob|eyJ/)
})

test('one access line for each request, whichever door; audit events beside them', async (t) => {
  const gateway = await startGateway(t)
  const ada = await signedIn(gateway, 'ada', '/wanted?secret=in-the-query')
  await ada.fetch(`${gateway.origin}/x`)
  await ada.fetch(gateway.own('session'))
  const bob = await signedIn(gateway, 'bob')
  await bob.fetch(`${gateway.origin}/admin/x`)
  const access = gateway.lines().filter(({ msg }) => msg === 'access')
  const told = access.map(({ path, status, verdict, reason, route }) => [path, status, verdict, reason, route])
  assert.deepEqual(told.slice(0, 6), [
    ['/wanted', 302, 'login', 'not_signed_in', told[0]![4]],
    ['/_doorward/login', 302, undefined, undefined, undefined],
    ['/_doorward/callback', 303, undefined, undefined, undefined],
    ['/wanted', 200, 'allow', undefined, told[0]![4]],
    ['/x', 200, 'allow', undefined, told[0]![4]],
    ['/_doorward/session', 200, undefined, undefined, undefined],
  ])
  const denied = access.at(-1)!
  assert.equal(denied.verdict, 'forbid')
  assert.match(String(denied.user), /^[\da-f-]{36}$/)
  assert.equal(new Set(access.map(({ requestId }) => requestId)).size, access.length)
  assert.deepEqual(
    gateway.lines().flatMap(({ event }) => (event === undefined ? [] : [event])),
    ['login', 'login', 'denied'],
  )
  // One that is refused before its address is read, too.
  assert.equal((await ada.fetch(`${gateway.origin}/a;b?secret=in-the-query`)).status, 400)
  assert.ok(!gateway.logText().includes('in-the-query'))
})

for (const store of ['memory', 'cookie'] as const) {
  test(`no token, code, cookie or secret in any line, from sign-in over renewal and failures to sign-out (${store})`, async (t) => {
    const gateway = await startGateway(t, {
      store,
      config: ({ application, issuer }) => ({
        log: { level: 'debug' },
        bearer: [{ issuer, audience: 'api', userinfo: true }],
        routes: [
          { path: '/api/*', allow: 'signedIn', accept: ['session', 'bearer'], upstream: application },
          {
            allow: 'signedIn',
            upstream: application,
            ...(store === 'memory' && { headers: { 'X-Token': '{accessToken}', 'X-Id': '{idToken}' } }),
          },
        ],
      }),
    })
    const browser = gateway.browser()
    const canaries = new Set([clientSecret, sessionSecret])
    const keepCookies = () => {
      for (const { value } of browser.cookies.all()) if (value.length > 10) canaries.add(value)
    }
    const { callback, authorization } = await reachCallback(gateway, browser, '/x?code=a-code-of-the-application')
    keepCookies()
    for (const name of ['code', 'state']) canaries.add(callback.searchParams.get(name)!)
    for (const name of ['nonce', 'code_challenge']) canaries.add(authorization.searchParams.get(name)!)
    await browser.navigate(callback.href)
    keepCookies()
    const { headers } = gateway.application.last()
    for (const name of ['x-token', 'x-id']) if (store === 'memory') canaries.add(String(headers[name]))
    const token = await gateway.idp.mintAccessToken('ada', { audience: 'api', claims: { groups: undefined } })
    canaries.add(token).add(token.split('.')[2]!)
    for (const authorization of [`Bearer ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(0, -3)}abc`]) {
      await browser.fetch(`${gateway.origin}/api/x`, { headers: { authorization } })
    }
    gateway.clock.move(320 * seconds)
    await browser.fetch(`${gateway.origin}/x`)
    keepCookies()
    gateway.idp.fail(500, ['token'])
    gateway.clock.move(320 * seconds)
    await browser.fetch(`${gateway.origin}/x`)
    gateway.idp.fail(undefined)
    gateway.idp.revokeAll()
    gateway.clock.move(320 * seconds)
    await browser.fetch(`${gateway.origin}/x`)
    await signInAt(gateway, browser)
    keepCookies()
    const cookie = browser.cookies.header(new URL(gateway.origin))!
    await browser.fetch(`${gateway.origin}/x`, { headers: { cookie: `${cookie.slice(0, -5)}XXXXX` } })
    await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {} })
    const bad = await reachCallback(gateway, browser, '/x')
    bad.callback.searchParams.set('code', 'a-code-that-is-wrong')
    canaries.add('a-code-that-is-wrong').add('a-code-of-the-application')
    await browser.navigate(bad.callback.href)
    const text = gateway.logText()
    assert.ok(gateway.lines().length > 20)
    for (const canary of canaries) assert.ok(!text.includes(canary), `${canary.slice(0, 12)}… is in the log`)
    assert.doesNotMatch(text, /eyJ[\w-]{10}/)
  })
}
