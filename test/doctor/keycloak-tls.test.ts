/** A real Keycloak behind a proxy that ends TLS, and that does not know of it: it was started without `proxy-headers`. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Keycloak, openKeycloak } from '../support/keycloak.ts'
import { clientId, clientSecret, makeRealm, type Realm } from '../support/keycloak-realm.ts'
import { session } from './keycloak-plants.ts'
import { examine, wrong } from './patient.ts'
import { openTally } from './tally.ts'

const tally = openTally('provider, on Keycloak behind TLS')
const certificate = (name: string) => fileURLToPath(new URL(`../proxy/certificates/${name}`, import.meta.url))

test('it repeats the name it is asked by, and says http', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak)
  const front = await startFront(t, keycloak)
  const found = await look(t, realm, front)
  tally.planted('issuer-mismatch', found)
  assert.match(found[0]!.cause, /invalid issuer: expected https:\/\/localhost:\d+\S+, got http:\/\/localhost:/)
  assert.match(found[0]!.fix, /^start Keycloak with --proxy-headers=xforwarded/)
})

test('its name is fixed, and its cookies are for http', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak)
  // Keycloak takes localhost for safe, whatever the scheme; behind a proxy it is asked by the name of its service.
  const front = await startFront(t, keycloak, 'keycloak.example.test')
  await realm.admin('PUT', '', { attributes: { frontendUrl: front } })
  const found = await look(t, realm, front)
  tally.planted('proxy-headers-missing', found)
  const internalUrl = keycloak.url
  tally.healthy(await look(t, realm, front, { internalUrl }))
})

async function look(t: TestContext, { name, gatewayUrl }: Realm, front: string, more = {}) {
  const issuer = `${front}/realms/${name}`
  const routes = [{ allow: 'signedIn', upstream: 'http://127.0.0.1:1' }]
  const provider = { kind: 'keycloak', issuer, clientId, clientSecret, ca: certificate('ca.pem'), ...more }
  return wrong(await examine(t, { publicUrl: gatewayUrl, session, provider, routes }))
}

/** @param asks the Host it asks Keycloak with; undefined: the one that browsers asked for */
async function startFront(t: TestContext, { url: keycloak }: Keycloak, asks?: string): Promise<string> {
  const { port } = new URL(keycloak)
  const tls = { key: readFileSync(certificate('server.key.pem')), cert: readFileSync(certificate('server.pem')) }
  const server = https.createServer(tls, (request, response) => {
    const { method, url: path, headers } = request
    const options = { host: '127.0.0.1', port, method, path, headers: { ...headers, host: asks ?? headers.host } }
    const onward = http.request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://localhost:${(server.address() as AddressInfo).port}`
}
