/** A Kubernetes API that trusts a real Keycloak gets the person's ID token, and a fresh one for as long as they work. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { seconds } from '../support/clock.ts'
import { startGateway, until } from '../support/gateway.ts'
import { openKeycloak } from '../support/keycloak.ts'
import { arrive, refresh } from '../support/keycloak-journey.ts'
import { clientId, makeRealm } from '../support/keycloak-realm.ts'
import { selfSubjectReview, startKubernetesApi } from '../support/kubernetes-api.ts'
import { exec, landing, namespaces, openSpdy, openStream } from '../support/kubernetes-world.ts'
import { openWebSocket } from '../support/websocket.ts'

test('list, watch and exec with tokens of a real Keycloak, over a refresh, a lost group and a logout', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak)
  const api = await startKubernetesApi({
    oidc: {
      issuer: realm.issuer,
      audience: clientId,
      usernameClaim: 'preferred_username',
      usernamePrefix: 'oidc:',
      groupsClaim: 'groups',
      groupsPrefix: 'oidc:',
    },
    allowed: ['oidc:/platform/admins', 'oidc:/platform/devs'],
  })
  t.after(api.close)
  const headers = { Authorization: 'Bearer {idToken}' }
  const route = { allow: 'signedIn', upgrades: ['websocket', 'SPDY/3.1'], upstream: api.url, headers }
  const gateway = await startGateway(t, {
    ...realm.gateway,
    config: (world) => ({ ...realm.configOf(world), identityHeaders: 'none', routes: [landing, route] }),
  })
  const { browser } = await arrive({ realm, gateway }, 'ada', '/landing')
  const own = { cookie: browser.cookies.header(new URL(gateway.origin)) ?? '', origin: gateway.origin }
  const list = () => browser.fetch(gateway.origin + namespaces, { from: gateway.origin })

  const review = await browser.fetch(gateway.origin + selfSubjectReview, { from: gateway.origin, method: 'POST' })
  assert.deepEqual(JSON.parse(review.body).status.userInfo, {
    username: 'oidc:ada',
    groups: ['oidc:/platform/admins', 'system:authenticated'],
  })
  assert.equal((await list()).status, 200)
  const first = api.last().headers.authorization
  const watch = await openStream(`${gateway.origin}${namespaces}?watch=1`, own)
  assert.match(await watch.next(), /ADDED/)
  const opened = await openWebSocket(t, gateway.origin + exec, own, ['v5.channel.k8s.io'])
  assert.ok(opened.kind === 'open')
  assert.equal((await openSpdy(t, gateway.origin + exec, own)).status, 101)

  const bob = await arrive({ realm, gateway }, 'bob', '/landing')
  const cookie = bob.browser.cookies.header(new URL(gateway.origin)) ?? ''
  const others = await openStream(`${gateway.origin}${namespaces}?watch=1`, { cookie })
  await others.next()
  const [sid] = await realm.sessionsOf('bob')
  await realm.admin('DELETE', `/sessions/${sid}`)
  assert.equal(await others.ended(), 'cut', 'the admin console ends what is open')

  // Close to the end of the 300 seconds of a token: Keycloak's refresh brings a new ID token, and the request waits.
  gateway.clock.move(295 * seconds)
  assert.equal((await list()).status, 200)
  assert.notEqual(api.last().headers.authorization, first)
  opened.socket.send(Buffer.from('\0still there'))
  await once(opened.socket, 'message')

  await realm.leaveGroup('ada', '/platform/admins')
  // Once more by the clock, and Keycloak's real time would be too far behind ours.
  assert.equal((await refresh({ realm, gateway }, browser)).status, 200)
  const refused = await list()
  assert.deepEqual([refused.status, JSON.parse(refused.body).reason], [403, 'Forbidden'])

  await browser.navigate(gateway.own('logout'), { from: gateway.origin, form: {}, follow: 0 })
  assert.equal(await opened.closed, 4401)
  assert.equal(await watch.ended(), 'cut')
  await until(() => api.watches() === 0, 'the API is let go of')
  assert.deepEqual(api.refusals, [])
})
