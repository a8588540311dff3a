/** The files of docs/recipes/cloudflare.md, behind a stand-in for Access: its key set and its signed header. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { replaced } from '../gateways/documented.ts'
import { startCloudflareAccess } from '../support/cloudflare-access.ts'
import { freePort } from '../support/free-port.ts'
import { type ConfigKeys, sessionSecret, signedIn, startGateway } from '../support/gateway.ts'
import { recipeBlock, recipeKeys } from './documented.ts'

const header = 'Cf-Access-Jwt-Assertion'

/** The first file of the page: Access signs in, and there is no provider. */
async function startBehindAccess(t: TestContext) {
  const access = await startCloudflareAccess()
  t.after(access.close)
  const port = await freePort()
  const gateway = await startGateway(t, {
    port,
    config: ({ publicUrl, application }) => {
      const file = replaced(recipeBlock('cloudflare', 'yaml', 'bearer:'), [
        ['https://wiki.example.com', publicUrl],
        ['listen: 127.0.0.1:4180', `listen: 127.0.0.1:${port}`],
        ['https://acme.cloudflareaccess.com/cdn-cgi/access/certs', access.certs],
        ['https://acme.cloudflareaccess.com', access.issuer],
        ['4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2', access.audience],
        ['http://127.0.0.1:3000', application],
      ])
      const keys: ConfigKeys = parse(file)
      return { ...keys, provider: undefined, session: undefined }
    },
  })
  const ask = async (path: string, claims?: Readonly<Record<string, unknown>>) =>
    fetch(gateway.origin + path, { headers: claims === undefined ? {} : { [header]: await access.token(claims) } })
  return { gateway, access, ask }
}

test('Access signs in: who it names is let in by the rules of the file', async (t) => {
  const { gateway, ask } = await startBehindAccess(t)
  const email = (address: string) => ({ email: address })
  assert.equal((await ask('/', email('ada@example.com'))).status, 200)
  const { headers } = gateway.application.last()
  assert.equal(headers['x-auth-email'], 'ada@example.com')
  assert.equal(headers[header.toLowerCase()], undefined, 'the token stays here')
  assert.equal((await ask('/admin/x', email('ada@example.com'))).status, 200)
  assert.equal((await ask('/admin/x', email('bob@example.com'))).status, 403)
  assert.equal((await ask('/', email('eve@example.net'))).status, 403)
})

test('Access signs in: the rows of the traps', async (t) => {
  const { gateway, access, ask } = await startBehindAccess(t)
  assert.equal((await ask('/')).status, 401, 'Bypass: no header')
  assert.equal((await ask('/', { aud: ['another-application'] })).status, 401)
  assert.equal((await ask('/', { exp: Math.floor(Date.now() / 1000) - 600 })).status, 401)
  // A service token, as Access writes it: no sub, no address.
  assert.equal((await ask('/', { email: undefined, sub: '', common_name: 'a1b2.access' })).status, 401)
  const before = gateway.application.received.length
  const other = await fetch(gateway.origin, {
    headers: { [header]: await access.token({ iss: 'https://evil.cloudflareaccess.com' }) },
  })
  assert.equal(other.status, 401)
  assert.equal(gateway.application.received.length, before)
})

test('Doorward signs in, behind the pipe', async (t) => {
  const gateway = await startGateway(t, {
    config: (world) => {
      const { listen: _, ...keys } = recipeKeys(
        'cloudflare',
        world,
        ['http://127.0.0.1:3000', world.application],
        'clientId: wiki',
      )
      return { ...keys, session: { secret: sessionSecret } }
    },
  })
  const browser = await signedIn(gateway, 'bob', '/page')
  assert.equal(gateway.application.last().headers['x-auth-email'], 'bob@example.com')
  // A client behind the tunnel can send what Access would; without Access nobody reads it.
  const { status } = await gateway.browser().fetch(`${gateway.origin}/page`, { headers: { [header]: 'forged' } })
  assert.equal(status, 401)
  assert.equal((await browser.fetch(`${gateway.origin}/page`, { headers: { [header]: 'forged' } })).status, 200)
  assert.equal(gateway.application.last().headers['x-auth-email'], 'bob@example.com')
})
