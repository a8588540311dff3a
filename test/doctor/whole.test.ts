/** A sound set-up of real parts: nothing to find, and nothing left unseen. Then some faults at once. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Asked, Patient } from '../../src/cli/doctor/examination.ts'
import { examinations } from '../../src/cli/doctor/examinations.ts'
import { runExaminations } from '../../src/cli/doctor/run.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Secret } from '../../src/core/secret.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { openKeycloak } from '../support/keycloak.ts'
import { administrator } from '../support/keycloak-keeper.ts'
import { clientId, makeRealm, type Realm } from '../support/keycloak-realm.ts'
import { type KubernetesApi, startKubernetesApi } from '../support/kubernetes-api.ts'
import { requirePart } from '../support/real-part.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { session } from './keycloak-plants.ts'
import { startNginx } from './nginx-front.ts'
import { patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('the whole')

test('Keycloak, Redis, nginx, a Kubernetes API and Doorward between them', async (t) => {
  const keycloak = requirePart(t, 'nginx') && (await openKeycloak(t))
  const redis = keycloak && (await startRedis(t))
  if (!keycloak || !redis) return
  const realm = await makeRealm(t, keycloak)
  const api = await startApi(t, realm)
  const gateway = await startBehindNginx(t, realm, { redis, api })
  tally.healthy(await look(gateway))
  const reviews = api.received.filter(({ url }) => url.endsWith('/selfsubjectreviews'))
  assert.deepEqual(
    reviews.map(({ user }) => user?.username),
    ['ada'],
  )
  assert.deepEqual(await realm.sessionsOf('ada'), [], 'every session of the doctor is ended again')
  gateway.write({
    ...keysOf({ redis, api }, gateway.application.url),
    redis: { url: `redis://127.0.0.1:${redis.port}/99` },
    trustedProxies: ['127.0.0.0/8'],
  })
  await realm.updateClient(() => ({ redirectUris: ['https://elsewhere.example.com/*'] }))
  tally.planted(
    [
      'redirect-uri-not-registered',
      'redirect-uri-wildcard',
      'redis-database',
      'process-other-config',
      'trusted-proxies-wide',
    ],
    (await look(gateway)).filter(({ severity }) => severity !== 'unseen'),
  )
})

interface Beside {
  readonly redis: RedisServer
  readonly api: KubernetesApi
}

async function startApi(t: TestContext, { issuer }: Realm): Promise<KubernetesApi> {
  const claims = { usernameClaim: 'preferred_username', usernamePrefix: '-', groupsClaim: 'groups' }
  const api = await startKubernetesApi({ oidc: { issuer, audience: clientId, ...claims }, allowed: ['ada'] })
  t.after(() => api.close())
  return api
}

/** nginx has the address that is registered at Keycloak. */
async function startBehindNginx(t: TestContext, realm: Realm, beside: Beside): Promise<TestGateway> {
  const gateway = await startGateway(t, {
    port: await freePort(),
    publicUrl: () => realm.gatewayUrl,
    session: { store: 'redis', ...session },
    config: (world) => ({ ...realm.configOf(world), ...keysOf(beside, world.application) }),
  })
  const ports = {
    front: Number(new URL(realm.gatewayUrl).port),
    public: gateway.port,
    forwardAuth: Number(gateway.server.addresses.forwardAuth!.port),
    application: Number(new URL(gateway.application.url).port),
  }
  await startNginx(t, ports, () => [])
  return gateway
}

function keysOf({ redis, api }: Beside, upstream: string) {
  return {
    forwardAuth: '127.0.0.1:0',
    trustedProxies: ['127.0.0.1'],
    redis: { url: `redis://127.0.0.1:${redis.port}` },
    routes: [
      { path: '/public/*', allow: 'public', upstream },
      { path: '/admins/*', allow: { groups: ['/platform/admins'] }, upstream },
      { path: '/cluster/*', allow: 'signedIn', upstream: api.url, headers: { Authorization: 'Bearer {idToken}' } },
      { allow: 'signedIn', upstream },
    ],
  }
}

function look({ file, origin, server }: TestGateway) {
  const { username, password } = administrator
  const asked: Partial<Asked> = {
    person: { username: 'ada', password: new Secret('ada') },
    keycloakAdmin: { kind: 'password', realm: 'master', username, password: new Secret(password) },
    through: new URL(origin),
    operations: server.addresses.operations,
  }
  const patient: Patient = patientWith(loadConfig(file, {}).config, asked)
  return runExaminations(examinations, patient, () => undefined)
}
