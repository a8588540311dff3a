/** The same journey with a provider nobody here wrote: oidc-provider, certified. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { openBearerVerifier } from '../../src/bearer/verifier.ts'
import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { endSessionUrl } from '../../src/oidc/end-session.ts'
import { beginLogin, finishLogin } from '../../src/oidc/login.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { RefreshFailure, refreshTokens } from '../../src/oidc/refresh.ts'
import { bearerConfig } from '../bearer/entry.ts'
import { createBrowser } from '../support/browser.ts'
import { startTestIdp } from '../support/idp.ts'
import { newTransaction, providerConfig } from './journey.ts'

const clientSecret = 'a secret of 32 characters  +:%&="~'
const world = { clock: systemClock, log: silentLog, allowInsecureHttp: false }

/** The address people come back to: a page that does nothing, so that the browser stops there. */
async function openCallback(t: TestContext): Promise<string> {
  const server = createServer((_, response) => void response.end('callback'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return `http://127.0.0.1:${address.port}/_doorward/callback`
}

test('login, refresh and the end, as certified', async (t) => {
  const redirectUri = await openCallback(t)
  const idp = await startTestIdp({ clients: [{ clientId: 'gateway', clientSecret, redirectUris: [redirectUri] }] })
  t.after(idp.close)
  const provider = openProvider(providerConfig({ issuer: idp.issuer, clientSecret }), world)
  t.after(provider.close)
  const browser = createBrowser()
  t.after(browser.close)

  const transaction = newTransaction()
  const login = await browser.navigate((await beginLogin(provider, { redirectUri, ...transaction })).href)
  const callback = new URL((await browser.submit(login, { username: 'ada', password: 'ada' })).url)
  const proof = await finishLogin(provider, callback, transaction)
  const { username, email, groups } = proof.identity
  assert.deepEqual([username, email, groups], ['ada', 'ada@example.com', ['/staff', '/admins']])

  const renewed = await refreshTokens(provider, proof)
  assert.equal(renewed.identity.subject, proof.identity.subject)
  assert.deepEqual(renewed.identity.groups, groups)
  const request = { idToken: renewed.tokens.idToken, postLogoutRedirectUri: redirectUri, state: 's' }
  assert.equal(endSessionUrl(provider, request)?.origin, new URL(idp.issuer).origin)

  idp.revokeAll()
  await assert.rejects(
    refreshTokens(provider, renewed),
    (error) => error instanceof RefreshFailure && error.kind === 'terminal' && error.reason === 'invalid_grant',
  )
})

test('its access tokens, both ways of typing them', async (t) => {
  const idp = await startTestIdp()
  t.after(idp.close)
  const verifier = openBearerVerifier([bearerConfig(idp)], world)
  t.after(verifier.close)
  for (const typ of ['JWT', 'at+jwt']) {
    const result = await verifier.verify(await idp.mintAccessToken('bob', { audience: 'api', typ }))
    assert.ok(result.kind === 'valid' && result.identity.username === 'bob', JSON.stringify(result))
  }
})
