/** Faults of a provider that no Keycloak can be made to have: the wire, TLS, clocks, odd discovery documents. */
import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import { type AddressInfo, createServer, type LookupFunction } from 'node:net'
import { type TestContext, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { type Certificate, type Life, makeCertificate, makeChain } from './certificates.ts'
import { type Consultation, examine, type Keys, wrong } from './patient.ts'
import { openRogue } from './rogue-pages.ts'
import { openTally } from './tally.ts'

const tally = openTally('provider, on small servers')

/** Looks at a provider that is nothing but an address. */
async function look(t: TestContext, provider: Keys, more?: Consultation) {
  const routes = [{ allow: 'signedIn', upstream: 'http://127.0.0.1:1' }]
  const keys = { clientId: 'gateway', clientSecret: 'the-secret-of-the-small-servers', timeout: '3s', ...provider }
  return wrong(await examine(t, { publicUrl: 'http://127.0.0.1:4180', provider: keys, routes }, more))
}

test('nobody listens', async (t) => {
  tally.planted('provider-unreachable', await look(t, { issuer: `http://127.0.0.1:${await freePort()}/realms/x` }))
})

test('it takes connections and never answers', async (t) => {
  const server = createServer((socket) => void socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const found = await look(t, { issuer: `http://127.0.0.1:${port}/realms/x`, timeout: '300ms' })
  tally.planted('provider-unreachable', found)
  assert.match(found[0]!.cause, /no answer came in time/)
})

test('its name does not exist', async (t) => {
  tally.planted('provider-dns', await look(t, { issuer: 'https://keycloak.invalid/realms/x' }))
})

test('it has IPv6 addresses alone, and there is no way to them', async (t) => {
  // RFC 6666: the discard prefix, which nobody answers from.
  const found = await look(t, { issuer: 'https://[100::1]/realms/x' })
  tally.planted('provider-ipv6-unreachable', found)
  assert.match(found[0]!.fix, /internalUrl/)
})

test('its name has AAAA records alone, and there is no way to them', async (t) => {
  const names: Readonly<Record<string, LookupAddress[]>> = {
    'six.example.test': [{ address: '100::1', family: 6 }],
    'both.example.test': [
      { address: '100::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ],
  }
  const lookup: LookupFunction = (host, { all }, callback) => {
    const found = names[host] ?? []
    if (all) callback(null, found)
    else callback(null, found[0]!.address, found[0]!.family)
  }
  const found = await look(t, { issuer: 'https://six.example.test/realms/x' }, { lookup })
  tally.planted('provider-ipv6-unreachable', found)
  assert.match(found[0]!.cause, /six\.example\.test has IPv6 addresses alone \(100::1\)/)
  const port = await freePort()
  tally.planted('provider-unreachable', await look(t, { issuer: `https://both.example.test:${port}/x` }, { lookup }))
})

test('TLS: each fault of a certificate has a name of its own', async (t) => {
  const own = (names: string, life?: Life) => makeCertificate(t, names, life)
  const plants = [
    ['tls-self-signed', own('DNS:localhost'), undefined],
    ['tls-unknown-authority', suiteCertificate('server'), undefined],
    ['tls-wrong-name', own('DNS:other.example.com'), 'itself'],
    ['tls-expired', own('DNS:localhost', 'over'), 'itself'],
    ['tls-not-yet-valid', own('DNS:localhost', 'later'), 'itself'],
  ] as const
  for (const [name, certificate, ca] of plants) {
    const port = await startTls(t, certificate)
    const issuer = `https://localhost:${port}/realms/x`
    const found = await look(t, { issuer, ...(ca !== undefined && { ca: certificate.cert }) })
    tally.planted(name, found)
    if (name === 'tls-wrong-name') assert.match(found[0]!.fix, /other\.example\.com/)
  }
  const plain = await openRogue(t)
  tally.planted('tls-not-spoken', await look(t, { issuer: plain.issuer.replace('http:', 'https:') }))
})

test('a server that leaves out its intermediate certificate', async (t) => {
  const { key, cert, ca, whole } = makeChain(t, 'DNS:localhost')
  const at = async (served: string) => `https://localhost:${await startTls(t, { key, cert: served })}/realms/x`
  const found = await look(t, { issuer: await at(cert), ca })
  tally.planted('tls-unknown-authority', found)
  assert.match(found[0]!.fix, /^let .* send its intermediate certificates/)
  // What answers there is no provider, and is trusted.
  tally.planted('discovery-unusable', await look(t, { issuer: await at(whole), ca }))
})

test('a CA file that is not there', async (t) => {
  const port = await startTls(t, suiteCertificate('server'))
  const issuer = `https://localhost:${port}/realms/x`
  tally.planted('ca-file-unreadable', await look(t, { issuer, ca: '/nowhere/ca.pem' }))
})

test('discovery redirects, and what to write instead is found out', async (t) => {
  const rogue = await openRogue(t)
  const other = await openRogue(t)
  const location = `${other.issuer}/.well-known/openid-configuration`
  rogue.script.raw = { discovery: (response) => void response.writeHead(301, { location }).end() }
  const found = await look(t, { issuer: rogue.issuer })
  tally.planted('discovery-redirect', found)
  assert.ok(found[0]!.fix.includes(`issuer: ${other.issuer}`))
})

test('a redirect within the server is followed, as the gateway does, and is no finding', async (t) => {
  const rogue = await openRogue(t)
  const before = rogue.script.raw
  rogue.script.raw = {
    ...before,
    discovery(response, { url = '' }) {
      if (!url.endsWith('/')) return void response.writeHead(308, { location: `${url}/` }).end()
      const endpoint = (name: string) => `${rogue.issuer}/${name}`
      const document = {
        issuer: rogue.issuer,
        authorization_endpoint: endpoint('auth'),
        token_endpoint: endpoint('token'),
        jwks_uri: endpoint('certs'),
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
    },
  }
  const names = (await look(t, { issuer: rogue.issuer })).map(({ name }) => name)
  assert.deepEqual(
    names.filter((name) => /^(discovery|issuer)-/.test(name)),
    [],
  )
  assert.ok(rogue.calls.discovery >= 2)
})

test('internalUrl is redirected to the public address: the line to change is its own', async (t) => {
  const rogue = await openRogue(t)
  const inner = await openRogue(t)
  const location = `${rogue.issuer}/.well-known/openid-configuration`
  inner.script.raw = { discovery: (response) => void response.writeHead(301, { location }).end() }
  const found = await look(t, { issuer: rogue.issuer, internalUrl: new URL(inner.issuer).origin })
  assert.deepEqual(
    found.map(({ name, place }) => [name, place]),
    [['discovery-redirect', 'provider.internalUrl']],
  )
})

test('something else answers there', async (t) => {
  const rogue = await openRogue(t)
  rogue.script.raw = { discovery: (response) => void response.writeHead(200).end('<h1>It works!</h1>') }
  tally.planted('discovery-unusable', await look(t, { issuer: rogue.issuer }))
  rogue.script.raw = { discovery: (response) => void response.writeHead(502).end() }
  tally.planted('discovery-unusable', await look(t, { issuer: rogue.issuer }))
})

test('a canonical name that cannot be reached from here: both lines are given', async (t) => {
  const rogue = await openRogue(t)
  const canonical = 'https://login.invalid/realms/main'
  rogue.script.discovery = (document) => ({ ...document, issuer: canonical })
  const found = await look(t, { issuer: rogue.issuer })
  tally.planted('issuer-mismatch', found)
  assert.ok(found[0]!.cause.startsWith(`invalid issuer: expected ${rogue.issuer}, got ${canonical}`))
  assert.match(
    found[0]!.fix,
    /`issuer: https:\/\/login\.invalid\/realms\/main`.*`internalUrl: http:\/\/127\.0\.0\.1:\d+`/,
  )
})

test('PKCE without S256, and no keys', async (t) => {
  const rogue = await openRogue(t)
  rogue.script.discovery = (document) => ({ ...document, code_challenge_methods_supported: ['plain'] })
  tally.planted('pkce-not-offered', await look(t, { issuer: rogue.issuer }))
  rogue.script = { jwks: () => [] }
  tally.planted('signing-keys', await look(t, { issuer: rogue.issuer }))
})

test('clocks: 20 seconds are a warning, a minute is an error, two are nothing', async (t) => {
  const rogue = await openRogue(t)
  for (const [seconds, severity] of [
    [-20, 'warning'],
    [60, 'error'],
    [-60, 'error'],
  ] as const) {
    const found = await look(t, { issuer: rogue.issuer }, { clock: { now: () => Date.now() - seconds * 1000 } })
    tally.planted('clock-skew', found)
    assert.equal(found[0]!.severity, severity)
    assert.match(found[0]!.cause, seconds > 0 ? /ahead of/ : /behind/)
  }
  tally.healthy(await look(t, { issuer: rogue.issuer }, { clock: { now: () => Date.now() + 2000 } }))
})

test('another provider than Keycloak says invalid_client for all: client or secret', async (t) => {
  const rogue = await openRogue(t)
  const refuse = (response: ServerResponse, request: IncomingMessage) => {
    request.resume()
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}')
  }
  rogue.script.raw = { token: refuse }
  tally.planted('client-or-secret-wrong', await look(t, { issuer: rogue.issuer }))
})

test('keys at an address that is plain http, on a wire of others', async (t) => {
  const rogue = await openRogue(t)
  const found = await look(t, { issuer: rogue.issuer, jwksUrl: 'http://192.0.2.1/keys' })
  tally.planted('provider-insecure', found)
})

test('the secret is right, and taken in another way', async (t) => {
  const rogue = await openRogue(t)
  rogue.script.raw = {
    token: (response, request) => {
      request.resume()
      const error = request.headers.authorization === undefined ? 'invalid_grant' : 'invalid_client'
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    },
  }
  const found = await look(t, { issuer: rogue.issuer })
  tally.planted('client-auth-method', found)
  assert.match(found[0]!.fix, /clientAuth: client_secret_post/)
  tally.healthy(await look(t, { issuer: rogue.issuer, clientAuth: 'client_secret_post' }))
})

test('the client may not use the code grant', async (t) => {
  const rogue = await openRogue(t)
  const body = { error: 'unsupported_grant_type', error_description: 'authorization_code is not allowed here' }
  rogue.script.raw = {
    token: (response, request) => {
      request.resume()
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    },
  }
  const found = await look(t, { issuer: rogue.issuer })
  tally.planted('client-refused', found)
  assert.match(found[0]!.cause, /unsupported_grant_type: authorization_code is not allowed here/)
})

const suiteCertificate = (name: string): Certificate => {
  const file = (ending: string) => new URL(`../proxy/certificates/${name}${ending}`, import.meta.url).pathname
  return { key: file('.key.pem'), cert: file('.pem') }
}

async function startTls(t: TestContext, { key, cert }: Certificate): Promise<number> {
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
    response.end(),
  )
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  return (server.address() as AddressInfo).port
}
