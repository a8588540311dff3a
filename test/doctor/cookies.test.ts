/** Cookies that browsers do not keep, or that somebody else writes, and sessions and headers that do not fit. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { cookies } from '../../src/cli/doctor/cookies.ts'
import { personBrings } from '../../src/cli/doctor/person-brings.ts'
import { loadConfig } from '../../src/config/load.ts'
import { proofOf, type Wish } from '../session/people.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway } from '../support/gateway.ts'
import { requirePart } from '../support/real-part.ts'
import { startNginx } from './nginx-front.ts'
import { configOf, type Keys, patientWith, signedInWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('cookies and sizes')

test('names', async (t) => {
  const look = (keys: Keys) => cookies.examine(patientWith(configOf(t, keys)))
  const publicUrl = ['https://app.example.com', 'https://app.example.com:8443']
  const secret = 'a-key-text-for-the-doctor-0123456789'
  tally.healthy(await look({ publicUrl }))
  tally.planted('cookie-name-shared', await look({ publicUrl, session: { secret, cookieName: 'session' } }))
  tally.healthy(await look({ session: { secret, cookieName: 'session' } }))
})

test('behind nginx', async (t) => {
  if (requirePart(t, 'nginx') === undefined) return
  const [front, own] = [await freePort(), await freePort()]
  const world = await startGateway(t, {
    port: own,
    publicUrl: () => `http://localhost:${front}`,
    session: { cookieName: 'session' },
    config: {
      forwardAuth: '127.0.0.1:0',
      trustedProxies: ['127.0.0.1'],
      routes: [{ path: '/public/*', allow: 'public' }, { allow: 'signedIn' }],
    },
  })
  const ports = {
    front,
    public: world.port,
    forwardAuth: Number(world.server.addresses.forwardAuth!.port),
    application: Number(new URL(world.application.url).port),
  }
  await startNginx(t, ports, () => [])
  const { config } = loadConfig(world.file, {})
  const through = new URL(world.origin)
  const look = (publicUrl: string) =>
    cookies.examine(patientWith({ ...config, publicUrls: [new URL(publicUrl)] }, { through }))
  tally.healthy(await look(world.origin))
  tally.planted('cookie-secure-on-http', await look(`https://localhost:${front}`))
  world.application.on('/public/', (_request, response) => {
    response.writeHead(200, { 'set-cookie': 'session=theirs; Path=/; Domain=localhost' }).end()
  })
  tally.planted('cookie-name-clash', await look(world.origin))
})

test('what a person brings', async (t) => {
  const look = (t: TestContext, wish: Wish, keys: Keys) =>
    personBrings.examine(signedInWith(configOf(t, keys), proofOf('ada', wish)))
  const many = Array.from({ length: 200 }, (_, n) => `/company/department-${n}/team`)
  tally.healthy(await look(t, {}, {}))
  const large = await look(t, { groups: many }, {})
  tally.planted('session-too-large', large)
  assert.match(large[0]!.cause, /groups \(\d+ bytes\)/)
  const session = { store: 'memory' }
  tally.healthy(await look(t, { groups: many }, { session }))
  const more = [...many, ...many.map((group) => `${group}-too`)]
  tally.planted('headers-too-large', await look(t, { groups: more }, { session }))
  const asked = { session, forwardAuth: '127.0.0.1:4181', trustedProxies: ['10.42.0.7'] }
  const routes = [{ allow: 'signedIn' }]
  tally.healthy(await look(t, {}, { ...asked, routes }))
  tally.planted('headers-too-large', await look(t, { groups: many }, { ...asked, routes }))
  const passing = [{ allow: 'signedIn', headers: { Authorization: 'Bearer {idToken}' } }]
  tally.healthy(await look(t, {}, { ...asked, routes: passing }))
  tally.planted('headers-too-large', await look(t, { idToken: 'i'.repeat(5000) }, { ...asked, routes: passing }))
  const some = many.slice(0, 130)
  const upstream = 'http://127.0.0.1:1'
  const impersonate = { user: '{sub}', tokenFile: '/nowhere', groups: true, groupsPrefix: 'oidc:' }
  const speaking = [{ allow: 'signedIn', upstream, impersonate }]
  tally.healthy(await look(t, { groups: some }, { session }))
  const spoken = await look(t, { groups: some }, { session, routes: speaking })
  tally.planted('headers-too-large', spoken)
  assert.match(spoken[0]!.cause, /most of it Impersonate-Group/)
  const secret = 'a-key-text-for-the-doctor-0123456789'
  const signed = await look(t, { groups: some }, { session: { ...session, secret }, assertion: {} })
  tally.planted('headers-too-large', signed)
  assert.match(signed[0]!.cause, /most of it X-/)
  tally.healthy(await personBrings.examine(patientWith(configOf(t, {}))))
})

test('https on the outside, http in the file', async (t) => {
  const config = configOf(t, { publicUrl: 'http://localhost', session: { store: 'memory' } })
  const through = new URL('https://localhost')
  // Nobody has to answer: the two addresses contradict each other as they are written.
  tally.planted('public-url-not-https', await cookies.examine(patientWith(config, { through })))
})
