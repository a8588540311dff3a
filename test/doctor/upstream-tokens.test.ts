/** Upstreams that do not take the token their route hands on: a Kubernetes API started with other flags, and others. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { before, type TestContext, test } from 'node:test'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { personBrings } from '../../src/cli/doctor/person-brings.ts'
import { proofOf } from '../session/people.ts'
import { startApplication } from '../support/application.ts'
import { type KubernetesOidc, startKubernetesApi } from '../support/kubernetes-api.ts'
import { configOf, patientWith, signedInWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('tokens at upstreams')
const person = { username: 'ada', groups: ['/staff', '/admins'] }
let keys: Awaited<ReturnType<typeof generateKeyPair>>

before(async () => {
  keys = await generateKeyPair('RS256')
})

async function startServer(t: TestContext, listener: RequestListener): Promise<string> {
  const server = http.createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** As much of an issuer as an API server looks at. */
async function startIssuer(t: TestContext): Promise<string> {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const issuer: string = await startServer(t, (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` }))
  })
  return issuer
}

const sign = (issuer: string, audience: string, claims: JWTPayload) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('subject')
    .setExpirationTime('5m')
    .sign(keys.privateKey)

/** The access token lacks our audience, as Keycloak's does without a mapper. */
async function examine(t: TestContext, issuer: string, upstream: string, headers: Record<string, string>) {
  const claims = { preferred_username: person.username, groups: person.groups }
  const tokens = { idToken: await sign(issuer, 'app', claims), accessToken: await sign(issuer, 'account', claims) }
  const config = configOf(t, { session: memory, routes: [{ allow: 'signedIn', upstream, headers }] })
  const findings = await personBrings.examine(signedInWith(config, { ...proofOf('ada'), tokens }))
  for (const token of Object.values(tokens)) assert.ok(!JSON.stringify(findings).includes(token))
  return findings
}

const memory = { store: 'memory' }
const idToken = { Authorization: 'Bearer {idToken}' }
const flags = { audience: 'app', usernameClaim: 'preferred_username', groupsClaim: 'groups', usernamePrefix: '-' }

test('a Kubernetes API, and each of its flags for tokens set otherwise', async (t) => {
  const issuer = await startIssuer(t)
  const start = async (oidc: Partial<KubernetesOidc>) => {
    const api = await startKubernetesApi({ oidc: { ...flags, issuer, ...oidc }, allowed: ['ada'] })
    t.after(() => api.close())
    return api.url
  }
  const sound = await start({})
  tally.healthy(await examine(t, issuer, sound, idToken))
  tally.healthy(await examine(t, issuer, await start({ groupsPrefix: 'oidc:' }), idToken))
  tally.planted('upstream-refuses-token', await examine(t, issuer, await start({ audience: 'kubernetes' }), idToken))
  tally.planted('upstream-refuses-token', await examine(t, issuer, await start({ usernameClaim: 'upn' }), idToken))
  const elsewhere = await start({ issuer: await startIssuer(t) })
  tally.planted('upstream-refuses-token', await examine(t, issuer, elsewhere, idToken))
  const other = await examine(t, issuer, sound, { Authorization: 'Bearer {accessToken}' })
  tally.planted('upstream-refuses-token', other)
  assert.match(other[0]!.fix, /write \{idToken\}/)
  tally.planted('upstream-token-groups', await examine(t, issuer, await start({ groupsClaim: 'roles' }), idToken))
  tally.planted('upstream-ignores-token', await examine(t, issuer, sound, { 'X-Id-Token': '{idToken}' }))
  await t.test('behind Headlamp', async (t) => {
    const headlamp = await startHeadlamp(t, sound)
    tally.healthy(await examine(t, issuer, headlamp, idToken))
    tally.planted('upstream-refuses-token', await examine(t, issuer, await startHeadlamp(t, elsewhere), idToken))
  })
})

/** Forwards to its cluster below /clusters/NAME, and answers everything else with its page. */
const startHeadlamp = (t: TestContext, api: string) =>
  startServer(t, async (request, response) => {
    const [, path] = /^\/clusters\/main(\/.*)$/.exec(request.url ?? '') ?? []
    if (path === undefined) {
      response.end(request.url === '/config' ? JSON.stringify({ clusters: [{ name: 'main' }] }) : '<html>')
      return
    }
    const { method = 'GET', headers } = request
    const answer = await fetch(api + path, {
      method,
      headers: { authorization: headers.authorization ?? '' },
      ...(method === 'POST' && { body: '{}' }),
    })
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })

test('any other application: only a no counts', async (t) => {
  const issuer = await startIssuer(t)
  const application = await startApplication()
  t.after(() => application.close())
  tally.healthy(await examine(t, issuer, application.url, idToken))
  application.on('/', (_request, response) => void response.writeHead(401).end())
  tally.planted('upstream-refuses-token', await examine(t, issuer, application.url, idToken))
  application.on('/', (_request, response) => void response.writeHead(302, { location: '/home' }).end())
  tally.healthy(await examine(t, issuer, application.url, idToken))
})

test('without --user it says so; without tokens there is nothing to say', async (t) => {
  const route = { allow: 'signedIn', upstream: 'http://127.0.0.1:1' }
  const passing = configOf(t, { session: memory, routes: [{ ...route, headers: idToken }] })
  tally.planted('upstream-token-unseen', await personBrings.examine(patientWith(passing)))
  tally.healthy(await personBrings.examine(patientWith(configOf(t, { routes: [route] }))))
})
