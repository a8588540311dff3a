/** A dashboard in front of a Kubernetes API over two gateways and one real Redis: signed in at one, at work at the other. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { Agent, request } from 'undici'
import { seconds } from '../support/clock.ts'
import { type ConfigKeys, sessionSecret, until } from '../support/gateway.ts'
import { selfSubjectReview } from '../support/kubernetes-api.ts'
import { exec, namespaces, openKubernetesWorld, openSpdy } from '../support/kubernetes-world.ts'
import { startRedis } from '../support/redis.ts'
import { startAnother } from '../support/replicas.ts'
import { openWebSocket } from '../support/websocket.ts'

const account = 'system:serviceaccount:headlamp:doorward'

/** What the API hears of alice, and what it makes of her, by the way she is spoken for. */
const ways = {
  'her own token': { username: 'oidc:alice', serviceAccount: false, route: () => byIdToken },
  impersonation: { username: 'oidc:alice@example.org', serviceAccount: true, route: impersonating },
} as const

const byIdToken = { headers: { Authorization: 'Bearer {idToken}' } }

function impersonating(t: TestContext): ConfigKeys {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-token-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const tokenFile = path.join(folder, 'token')
  writeFileSync(tokenFile, 'token-of-the-account')
  return { impersonate: { user: 'oidc:{email}', groupsPrefix: 'oidc:', tokenFile } }
}

type Way = (typeof ways)[keyof typeof ways]

async function openWorld(t: TestContext, way: Way) {
  const redis = await startRedis(t)
  if (redis === undefined) return undefined
  const world = await openKubernetesWorld(t, {
    ...(way.serviceAccount && { withoutOidc: true }),
    route: way.route(t),
    config: {
      session: { store: 'redis', secret: sessionSecret },
      redis: { url: `redis://127.0.0.1:${redis.port}`, prefix: redis.options().prefix },
    },
  })
  if (way.serviceAccount) {
    world.api.serviceAccounts.set('token-of-the-account', account)
    world.api.impersonators.add(account)
  }
  const { gateway } = world
  const [a, b] = [gateway.server, await startAnother(t, gateway)].map(({ addresses }) => addresses.public.origin)
  const agent = new Agent()
  t.after(() => agent.close())
  const { host } = new URL(gateway.origin)
  const ask = async (origin: string | undefined, cookie: string, to = namespaces, method: 'GET' | 'POST' = 'GET') => {
    const headers = { host, cookie, origin: gateway.origin }
    const answer = await request(`${origin}${to}`, { dispatcher: agent, method, headers })
    return { status: answer.statusCode, body: await answer.body.text() }
  }
  return { ...world, a, b, host, ask }
}

for (const [name, way] of Object.entries(ways)) {
  test(`signed in at one gateway, at work at another, signed out at the first: ${name}`, async (t) => {
    const world = await openWorld(t, way)
    if (world === undefined) return
    const { gateway, provider, api, a, b, host, ask } = world
    const alice = await world.signIn()
    const { cookie } = alice.headers
    const there = { ...alice.headers, host }

    assert.equal((await ask(b, cookie)).status, 200)
    const review = await ask(b, cookie, selfSubjectReview, 'POST')
    const { userInfo } = JSON.parse(review.body).status
    assert.equal(userInfo.username, way.username)
    assert.ok(userInfo.groups.includes('oidc:/staff'))
    const opened = await openWebSocket(t, `${b}${exec}`, there, ['v5.channel.k8s.io'])
    assert.ok(opened.kind === 'open')
    const { status, stream } = await openSpdy(t, `${b}${exec}`, there)
    assert.equal(status, 101)
    const watch = await request(`${b}${namespaces}?watch=1`, { headers: there })
    const watched = watch.body.toArray().catch(() => 'cut')
    assert.equal(provider.calls.token, 1)

    // The tokens run out under her hands: one refresh for both gateways, and no request with an old token.
    const before = api.last().headers.authorization
    for (const round of [1, 2]) {
      gateway.clock.move(310 * seconds)
      provider.person = { ...provider.person, groups: ['/staff', `/round-${round}`] }
      const answers = await Promise.all(Array.from({ length: 24 }, (_, index) => ask(index % 2 ? a : b, cookie)))
      assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
      await until(async () => {
        const { body } = await ask(b, cookie, selfSubjectReview, 'POST')
        return JSON.parse(body).status.userInfo.groups.includes(`oidc:/round-${round}`)
      }, 'the API hears of the new group')
      assert.equal(provider.calls.token, 1 + round)
    }
    assert.deepEqual(api.refusals, [])
    if (!way.serviceAccount) assert.notEqual(api.last().headers.authorization, before)
    const again = await openWebSocket(t, `${b}${exec}`, there, ['v5.channel.k8s.io'])
    assert.ok(again.kind === 'open')
    for (const { socket } of [opened, again]) {
      socket.send(Buffer.from('\0still'))
      await once(socket, 'message')
    }
    assert.equal(api.last().user?.username, way.username)

    const ended = once(stream!, 'close')
    const began = performance.now()
    await alice.browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
    assert.deepEqual(await Promise.all([opened.closed, again.closed]), [4401, 4401])
    assert.ok(performance.now() - began < 1000, 'at the other gateway, within a second')
    await ended
    assert.equal(await watched, 'cut')
    const asked = api.received.length
    assert.equal((await ask(b, cookie)).status, 401)
    const refused = await openWebSocket(t, `${b}${exec}`, there, ['v5.channel.k8s.io'])
    assert.ok(refused.kind === 'refused' && refused.status === 401)
    assert.equal(api.received.length, asked)
  })
}
