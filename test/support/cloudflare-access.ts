/** Cloudflare Access in front of an application: its keys, and the token it adds to every request. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { SignJWT } from 'jose'
import { generateSigningKey } from './rogue-provider.ts'

export interface CloudflareAccess {
  /** `https://<team>.cloudflareaccess.com`; it has no discovery document. */
  readonly issuer: string
  readonly certs: string
  /** The "Application Audience (AUD) Tag". */
  readonly audience: string
  /** Calls of the keys' address. */
  keyCalls: number
  /** What the header `Cf-Access-Jwt-Assertion` holds; undefined removes a claim. */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>
  close(): Promise<void>
}

export async function startCloudflareAccess(): Promise<CloudflareAccess> {
  const key = await generateSigningKey()
  const server = createServer((request, response) => {
    if (request.url !== '/cdn-cgi/access/certs') return void response.writeHead(404).end()
    access.keyCalls++
    const { kid } = key
    const cert = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'
    const body = { keys: [key.jwk], public_cert: { kid, cert }, public_certs: [{ kid, cert }] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const issuer = `http://127.0.0.1:${address.port}`
  const audience = '4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2'
  const access: CloudflareAccess = {
    issuer,
    certs: `${issuer}/cdn-cgi/access/certs`,
    audience,
    keyCalls: 0,
    token(claims = {}) {
      const now = Math.floor(Date.now() / 1000)
      const all = {
        aud: [audience],
        email: 'ada@example.com',
        exp: now + 86_400,
        iat: now,
        nbf: now,
        iss: issuer,
        type: 'app',
        identity_nonce: '6ei69kawdKzMIAPF',
        sub: '7335d417-61da-459d-899c-0a01c76a2f94',
        country: 'US',
        ...claims,
      }
      return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(key.privateKey)
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return access
}
