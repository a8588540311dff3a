/** A dashboard without a login of its own in front of a Kubernetes API, which gets the person's own token. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { hours, seconds } from '../support/clock.ts'
import { until } from '../support/gateway.ts'
import { selfSubjectReview, selfSubjectRulesReview } from '../support/kubernetes-api.ts'
import { exec, namespaces, openKubernetesWorld, openSpdy, openStream } from '../support/kubernetes-world.ts'
import { openWebSocket } from '../support/websocket.ts'

const byIdToken = { headers: { Authorization: 'Bearer {idToken}' } }
const channels = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const hidden = (token: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`

test('who am I, list, watch and exec reach the API as the person', async (t) => {
  const { gateway, api, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  const alice = await signIn()
  assert.equal((await alice.ask(selfSubjectRulesReview, { method: 'POST' })).status, 201, 'no login screen')
  const { body } = await alice.ask(selfSubjectReview, { method: 'POST' })
  const { userInfo } = JSON.parse(body).status
  assert.deepEqual(userInfo, { username: 'oidc:alice', groups: ['oidc:/staff', 'system:authenticated'] })
  assert.equal((await alice.ask(namespaces)).status, 200)

  const watch = await openStream(`${gateway.origin}${namespaces}?watch=1`, alice.headers)
  assert.match(await watch.next(), /"ADDED".*default/)
  api.emit('later')
  assert.match(await watch.next(), /"later"/)

  const opened = await openWebSocket(t, gateway.origin + exec, alice.headers, channels)
  assert.ok(opened.kind === 'open')
  assert.equal(opened.socket.protocol, 'v5.channel.k8s.io')
  opened.socket.send(Buffer.from('\0ls\n'))
  const [data] = await once(opened.socket, 'message')
  assert.equal(String(data), '\u0001ls\n')

  const { status, headers, stream } = await openSpdy(t, gateway.origin + exec, alice.headers)
  assert.equal(status, 101)
  assert.equal(headers['x-stream-protocol-version'], 'v4.channel.k8s.io')
  const bytes = Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 0, 255])
  stream?.write(bytes)
  assert.deepEqual((await once(stream!, 'data'))[0], bytes)
  assert.ok(api.received.every(({ user }) => user?.username === 'oidc:alice'))
})

test('SPDY needs a route that lists it', async (t) => {
  const { gateway, api, signIn } = await openKubernetesWorld(t, { route: { ...byIdToken, upgrades: ['websocket'] } })
  const alice = await signIn()
  const before = api.received.length
  assert.equal((await openSpdy(t, gateway.origin + exec, alice.headers)).status, 426)
  assert.equal(api.received.length, before)
})

test("a token of the browser's own never reaches the API, in no header and no subprotocol", async (t) => {
  const { gateway, api, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  const alice = await signIn()
  api.serviceAccounts.set('root-token', 'system:serviceaccount:kube-system:root')
  const own = { ...alice.headers, authorization: 'Bearer root-token' }
  const protocols = [hidden('root-token'), ...channels, hidden('root-token').replace('base64url.b', 'BASE64URL.B')]
  const opened = await openWebSocket(t, gateway.origin + exec, own, protocols)
  assert.ok(opened.kind === 'open')
  assert.equal(api.last().user?.username, 'oidc:alice')
  assert.equal(api.last().headers['sec-websocket-protocol'], channels.join(', '))
  await openSpdy(t, gateway.origin + exec, own)
  assert.equal(api.last().user?.username, 'oidc:alice')
  await alice.ask(namespaces, { headers: { authorization: 'Bearer root-token' } })
  assert.equal(api.last().user?.username, 'oidc:alice')
  // Where the route has no token of ours to offer, either.
  const open = await openWebSocket(t, `${gateway.origin}/public${exec}`, {}, protocols)
  assert.ok(open.kind === 'refused')
  assert.equal(api.last().user?.username, 'system:anonymous')
})

test("a dashboard's own cookie that would win over our token never reaches it", async (t) => {
  const { gateway, api, signIn } = await openKubernetesWorld(t, {
    route: { ...byIdToken, dropCookies: ['headlamp-auth-*'] },
  })
  const alice = await signIn()
  const cookie = (more: string) => ({ ...alice.headers, cookie: `${more}; ${alice.headers.cookie}; theme=dark` })
  for (const own of ['headlamp-auth-main.0=eyJ; headlamp-auth-main.1=x', 'Headlamp-Auth-main="eyJ"']) {
    await fetch(gateway.origin + namespaces, { headers: cookie(own) })
    assert.equal(api.last().headers.cookie, 'theme=dark')
    assert.equal((await openWebSocket(t, gateway.origin + exec, cookie(own), channels)).kind, 'open')
    assert.equal(api.last().headers.cookie, 'theme=dark')
    assert.equal((await openSpdy(t, gateway.origin + exec, cookie(own))).status, 101)
    assert.equal(api.last().headers.cookie, 'theme=dark')
  }
  await fetch(`${gateway.origin}/public/x`, { headers: cookie('headlamp-auth-main=eyJ') })
  assert.equal(api.last().headers.cookie, 'headlamp-auth-main=eyJ; theme=dark', 'other routes drop ours alone')
})

test('a token that is about to expire is renewed before the request goes on', async (t) => {
  const { gateway, api, provider, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  const alice = await signIn()
  const opened = await openWebSocket(t, gateway.origin + exec, alice.headers, channels)
  assert.ok(opened.kind === 'open')
  const first = api.last().headers.authorization
  for (const [life, later] of [
    [300, 291],
    [300, 310],
    [300, 2000],
  ] as const) {
    const [calls, before] = [provider.calls.token, api.last().headers.authorization]
    gateway.clock.move(later * seconds)
    assert.equal((await alice.ask(namespaces)).status, 200, `${later} of ${life} s`)
    assert.notEqual(api.last().headers.authorization, before)
    assert.equal(provider.calls.token, calls + 1)
  }
  assert.deepEqual(api.refusals, [])
  assert.notEqual(first, api.last().headers.authorization)
  // What was open goes on, until the session ends.
  opened.socket.send(Buffer.from('\0still'))
  await once(opened.socket, 'message')
  gateway.clock.move(2 * hours)
  assert.equal(await opened.closed, 4401)
})

test('websockets wait for the fresh token too, and the ID token has a life of its own', async (t) => {
  const { gateway, api, provider, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  provider.script.idTokenClaims = (claims) => ({ ...claims, exp: Number(claims.iat) + 60 })
  const alice = await signIn()
  gateway.clock.move(61 * seconds)
  const opened = await openWebSocket(t, gateway.origin + exec, alice.headers, channels)
  assert.ok(opened.kind === 'open', JSON.stringify(api.refusals))
  gateway.clock.move(61 * seconds)
  assert.equal((await openSpdy(t, gateway.origin + exec, alice.headers)).status, 101)
  assert.equal(provider.calls.token, 3)
})

test('a long interval between renewals does not make the token old', async (t) => {
  const config = { session: { store: 'memory', refreshEvery: '30m' } }
  const { gateway, api, signIn } = await openKubernetesWorld(t, { route: byIdToken, config })
  const alice = await signIn()
  gateway.clock.move(400 * seconds)
  assert.equal((await alice.ask(namespaces)).status, 200, JSON.stringify(api.refusals))
})

test('while the provider is down: the old token while it is good, then 503, and nobody is signed out', async (t) => {
  const { gateway, api, provider, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  const alice = await signIn()
  provider.script.raw = { token: (response) => void response.writeHead(500).end() }
  gateway.clock.move(295 * seconds)
  assert.equal((await alice.ask(namespaces)).status, 200)
  gateway.clock.move(6 * seconds)
  const before = api.received.length
  for (const _ of [1, 2, 3]) assert.equal((await alice.ask(namespaces)).status, 503)
  const refused = await openWebSocket(t, gateway.origin + exec, alice.headers, channels)
  assert.ok(refused.kind === 'refused' && refused.status === 503)
  assert.equal(api.received.length, before, 'an expired token never leaves')
  provider.script.raw = {}
  gateway.clock.move(11 * seconds)
  assert.equal((await alice.ask(namespaces)).status, 200)
  assert.deepEqual(api.refusals, [])
})

test('where a refresh brings no ID token, only a sign-in helps', async (t) => {
  const { gateway, api, provider, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  const alice = await signIn()
  provider.script.tokenBody = ({ id_token: _, ...body }) => body
  gateway.clock.move(200 * seconds)
  assert.equal((await alice.ask(namespaces)).status, 200)
  gateway.clock.move(200 * seconds)
  const before = api.received.length
  assert.equal((await alice.ask(namespaces)).status, 401)
  assert.equal((await alice.ask(namespaces)).status, 401)
  assert.equal(api.received.length, before)
  provider.script.tokenBody = (body) => body
  const page = await alice.browser.navigate(gateway.origin + namespaces, { stopBefore: provider.issuer })
  const callback = provider.authorize(new URL(page.headers.get('location') ?? ''))
  assert.equal((await alice.browser.navigate(callback.href)).status, 200)
})

test('who is taken out of a group is forbidden by the API after the next refresh', async (t) => {
  const { gateway, provider, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  const alice = await signIn()
  assert.equal((await alice.ask(namespaces)).status, 200)
  provider.person = { ...provider.person, groups: ['/guests'] }
  assert.equal((await alice.ask(namespaces)).status, 200, 'her token says so')
  gateway.clock.move(300 * seconds)
  const { status, body } = await alice.ask(namespaces)
  assert.equal(status, 403)
  assert.equal(JSON.parse(body).reason, 'Forbidden')
})

test("a client's own access token is passed on as it was judged, and ends what it opened", async (t) => {
  const route = { accept: ['session', 'bearer'], headers: { Authorization: 'Bearer {accessToken}' } }
  const { gateway, api, provider } = await openKubernetesWorld(t, { route })
  const token = await provider.accessToken({ aud: ['api', 'gateway'] })
  const headers = { authorization: `Bearer ${token}` }
  const ask = () => fetch(gateway.origin + namespaces, { headers })
  assert.equal((await ask()).status, 200)
  assert.equal(api.last().user?.username, 'oidc:alice')
  const opened = await openWebSocket(t, gateway.origin + exec, headers, channels)
  assert.ok(opened.kind === 'open')
  const watch = await openStream(`${gateway.origin}${namespaces}?watch=1`, headers)
  await watch.next()
  gateway.clock.move(290 * seconds)
  assert.equal((await ask()).status, 200)
  gateway.clock.move(12 * seconds)
  // Our tolerance for clocks would let it in; the API would not.
  assert.equal((await ask()).status, 401)
  assert.equal(await opened.closed, 4401)
  assert.equal(await watch.ended(), 'cut')
  assert.deepEqual(api.refusals, [])
})

test('a watch ends with its session, wherever that was ended, and is let go of upstream', async (t) => {
  const { gateway, api, signIn } = await openKubernetesWorld(t, { route: byIdToken })
  const [alice, other] = [await signIn(), await signIn()]
  const address = `${gateway.origin}${namespaces}?watch=1`
  const [watch, others] = [await openStream(address, alice.headers), await openStream(address, other.headers)]
  await Promise.all([watch.next(), others.next()])
  await alice.browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
  assert.equal(await watch.ended(), 'cut')
  await until(() => api.watches() === 1, 'the API is let go of')
  api.emit('later')
  assert.match(await others.next(), /later/)
  gateway.clock.move(2 * hours)
  assert.equal(await others.ended(), 'cut', 'a session that ran out')
})
