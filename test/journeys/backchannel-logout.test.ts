/** Back-channel logout: the provider ends sessions here, on every kind of store. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { request } from 'undici'
import { GatewayError } from '../../src/core/errors.ts'
import { createProviderLogout } from '../../src/http/provider-logout.ts'
import { minutes } from '../support/clock.ts'
import { accepted, formOf, isSignedIn, openLogoutWorld, postToken } from '../support/logout-world.ts'
import { openWebSocket } from '../support/websocket.ts'

const { provider, other, gatewayOf, signIn, signed, close } = await openLogoutWorld()
after(close)

for (const store of ['memory', 'cookie'] as const) {
  describe(`a logout token, store ${store}`, () => {
    test('with sid ends that session, and no other of the person (ok-sid, cookie-session-mode)', async (t) => {
      const gateway = await gatewayOf(t, store)
      const [mine, elsewhere] = [await signIn(gateway, 'sid-1'), await signIn(gateway, 'sid-2')]
      await accepted(gateway, await signed({ sid: 'sid-1' }))
      assert.equal(await isSignedIn(gateway, mine), false)
      assert.equal(await isSignedIn(gateway, elsewhere), true)
      const again = await signIn(gateway, 'sid-3')
      assert.equal(await isSignedIn(gateway, again), true, 'a mark ends what was, not what comes')
    })

    test('with sub alone ends all three sessions of the person, and nobody else’s (ok-sub)', async (t) => {
      const gateway = await gatewayOf(t, store)
      const sessions = [await signIn(gateway, 'a'), await signIn(gateway, 'b'), await signIn(gateway, 'c')]
      const bob = await signIn(gateway, 'd', 'bob-id')
      await accepted(gateway, await signed({ sub: 'alice-id' }))
      for (const browser of sessions) assert.equal(await isSignedIn(gateway, browser), false)
      assert.equal(await isSignedIn(gateway, bob), true)
    })

    test('with both ends the session alone (ok-both)', async (t) => {
      const gateway = await gatewayOf(t, store)
      const [mine, elsewhere] = [await signIn(gateway, 'sid-1'), await signIn(gateway, 'sid-2')]
      await accepted(gateway, await signed({ sid: 'sid-1', sub: 'alice-id' }))
      assert.deepEqual([await isSignedIn(gateway, mine), await isSignedIn(gateway, elsewhere)], [false, true])
    })
  })
}

test('a refused token uses its jti up for nobody, a used one does (replay-jti)', async (t) => {
  const gateway = await gatewayOf(t)
  const jti = randomUUID()
  assert.equal((await postToken(gateway, await signed({ sid: 'sid-1', jti, aud: 'another' }))).status, 400)
  const token = await signed({ sid: 'sid-1', jti })
  await accepted(gateway, token)
  const since = await signIn(gateway, 'sid-1')
  const replay = await postToken(gateway, token)
  assert.equal(replay.status, 400)
  assert.match(replay.text, /used before/)
  assert.equal(await isSignedIn(gateway, since), true, 'begun after the logout the token was made for')
  gateway.clock.move(12 * minutes)
  assert.match((await postToken(gateway, token)).text, /iat/, 'forgotten by name, refused by age')
})

test('typ may be missing or JWT, as older Keycloak has it, and exp too (typ-missing)', async (t) => {
  const gateway = await gatewayOf(t)
  for (const typ of [undefined, 'JWT', 'application/logout+jwt']) {
    await accepted(gateway, await signed({ sid: 'x', exp: undefined, typ: 'Logout' }, { typ }))
  }
})

test('it may come by the name of a service, and a browser’s cookies and origin change nothing', async (t) => {
  const gateway = await gatewayOf(t)
  const browser = await signIn(gateway, 'sid-1')
  const { statusCode } = await request(`http://127.0.0.1:${gateway.port}/_doorward/backchannel-logout`, {
    method: 'POST',
    headers: { host: 'doorward.apps.svc:4180', 'content-type': 'application/x-www-form-urlencoded' },
    body: formOf(await signed({ sid: 'sid-1' })),
  })
  assert.equal(statusCode, 200)
  assert.equal(await isSignedIn(gateway, browser), false)
})

test('open websockets of the session close with 4401, others stay', async (t) => {
  const gateway = await gatewayOf(t)
  const open = async (sid: string) => {
    const cookie = (await signIn(gateway, sid)).cookies.header(new URL(gateway.origin))!
    return openWebSocket(t, `${gateway.origin}/ws`, { cookie, origin: gateway.origin })
  }
  const [mine, theirs] = [await open('sid-1'), await open('sid-2')]
  assert.ok(mine.kind === 'open' && theirs.kind === 'open')
  await accepted(gateway, await signed({ sid: 'sid-1' }))
  assert.equal(await mine.closed, 4401)
  assert.equal(theirs.socket.readyState, theirs.socket.OPEN)
})

for (const store of ['memory', 'cookie'] as const) {
  test(`a refresh in flight brings nothing back, store ${store} (race-with-refresh)`, async (t) => {
    const gateway = await gatewayOf(t, store)
    const browser = await signIn(gateway, 'sid-1')
    const asked = Promise.withResolvers<void>()
    const loggedOut = Promise.withResolvers<void>()
    provider.script.tokenBody = (body) => body
    provider.script.idToken = async (token) => {
      asked.resolve()
      await loggedOut.promise
      return token
    }
    const refreshed = browser.fetch(gateway.own('session/refresh'), { from: gateway.origin, method: 'POST' })
    await asked.promise
    await accepted(gateway, await signed({ sid: 'sid-1' }))
    loggedOut.resolve()
    provider.script = {}
    assert.equal((await refreshed).status, 401)
    assert.equal(await isSignedIn(gateway, browser), false)
  })
}

for (const store of ['memory', 'cookie'] as const) {
  test(`a logout while the code is being redeemed ends what comes of it, store ${store}`, async (t) => {
    const gateway = await gatewayOf(t, store)
    const browser = gateway.browser()
    provider.person = { ...provider.person, sub: 'alice-id', sid: 'sid-1' }
    const asked = await browser.navigate(gateway.own('login?provider=main&rd=/'), { stopBefore: provider.issuer })
    const redeemed = Promise.withResolvers<void>()
    const loggedOut = Promise.withResolvers<void>()
    provider.script.idToken = async (token) => {
      redeemed.resolve()
      await loggedOut.promise
      return token
    }
    const callback = provider.authorize(new URL(asked.headers.get('location') ?? ''))
    const landed = browser.navigate(callback.href, { follow: 0 })
    await redeemed.promise
    gateway.clock.move(20)
    await accepted(gateway, await signed({ sid: 'sid-1' }))
    gateway.clock.move(20)
    loggedOut.resolve()
    await landed
    provider.script = {}
    assert.equal(await isSignedIn(gateway, browser), false)
  })
}

test('where keys or store cannot be had it is never 200, and the token may come again (redis-down)', async (t) => {
  other.script.raw = { jwks: (response) => void response.writeHead(500).end() }
  const gateway = await gatewayOf(t)
  const answer = await postToken(gateway, await signed({ sid: 'sid-1' }, {}, other.keys[0], other))
  other.script = {}
  assert.equal(answer.status, 400)
  assert.equal(JSON.parse(answer.text).error, 'temporarily_unavailable')

  const kept = new Map<string, string>()
  let isDown = true
  const down = new GatewayError('store_unreachable')
  const logout = createProviderLogout({
    kv: {
      add: async (key: string, value: string) => !kept.has(key) && kept.set(key, value) !== undefined,
      delete: async (key: string) => void kept.delete(key),
    },
    revocations: {
      endProviderSession: async () => {
        if (isDown) throw down
      },
      endSubject: async () => assert.fail('the sid says more'),
    },
  })
  const token = { issuer: 'i', sid: 's', subject: 'x', jti: 'j', oldAt: 10 }
  await assert.rejects(logout.once(token, 1000, 0), down)
  isDown = false
  assert.equal(await logout.once(token, 1000, 0), true)
  assert.equal(await logout.once(token, 1000, 0), false)
})
