/** What stands at the login address: the provider's own page, or somebody else's. */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { startIdp } from '../../src/dev/idp.ts'
import { examine, type Keys, wrong } from './patient.ts'
import { honest, loginForm, openRogue, type Page } from './rogue-pages.ts'
import { openTally } from './tally.ts'

const tally = openTally('login page')
const publicUrl = 'http://127.0.0.1:4180'

async function look(t: TestContext, provider: Keys) {
  const routes = [{ allow: 'signedIn', upstream: 'http://127.0.0.1:1' }]
  const keys = { clientId: 'gateway', clientSecret: 'the-secret-of-the-small-servers', timeout: '3s', ...provider }
  return wrong(await examine(t, { publicUrl, provider: keys, routes }))
}

/** Behind the login address of a provider of this kind. */
async function behind(t: TestContext, kind: 'keycloak' | 'oidc', page: Page) {
  const rogue = await openRogue(t, page)
  rogue.script.raw = { token: codeNotValid }
  return look(t, { kind, issuer: rogue.issuer })
}

/** As Keycloak does: the client first, then the code. */
function codeNotValid(response: ServerResponse, request: IncomingMessage): void {
  request.resume()
  const isKnown = request.headers.authorization !== undefined
  const body = { error: isKnown ? 'invalid_grant' : 'unauthorized_client' }
  response.writeHead(isKnown ? 400 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const says = (status: number, text: string): Page => {
  return (response) => void response.writeHead(status, { 'content-type': 'text/html' }).end(text)
}

/** Lets `prompt=none` pass, and answers people so. */
const forPeople = (page: Page): Page => {
  return (response, asked) => (asked.query.get('prompt') === 'none' ? honest : page)(response, asked)
}

const maintenance = says(200, '<h1>We will be back soon</h1><p>Planned maintenance.</p>')
const blocked = says(403, '<h1>Request blocked</h1><p>Incident ID: 81-2290</p>')
const failing = says(500, '<h1>We are sorry...</h1><p>An internal server error has occurred</p>')

test('healthy: Keycloak, a provider that knows prompt=none, and those that show or lead to their page', async (t) => {
  tally.healthy(await behind(t, 'keycloak', honest))
  tally.healthy(await behind(t, 'oidc', honest))
  tally.healthy(await behind(t, 'oidc', loginForm))
  // Dex leads to the page of its connector; a page that a program makes has no form of its own.
  tally.healthy(await behind(t, 'oidc', (response) => void response.writeHead(302, { location: '/auth/local' }).end()))
  tally.healthy(
    await behind(t, 'oidc', says(200, '<div id="root"></div><script type="module" src="/app.js"></script>')),
  )
})

test('healthy: oidc-provider, certified', async (t) => {
  const clientSecret = 'a secret of 32 characters  +:%&="~'
  const redirectUris = [`${publicUrl}/_doorward/callback`]
  const postLogoutRedirectUris = [`${publicUrl}/_doorward/signed-out`]
  const idp = await startIdp({ clients: [{ clientId: 'gateway', clientSecret, redirectUris, postLogoutRedirectUris }] })
  t.after(idp.close)
  tally.healthy(await look(t, { issuer: idp.issuer, clientSecret }))
})

test('somebody in front of it answers', async (t) => {
  for (const [kind, page] of [
    ['keycloak', maintenance],
    ['keycloak', blocked],
    ['keycloak', loginForm],
    ['keycloak', (response) => void response.writeHead(302, { location: 'https://portal.example.com/' }).end()],
    ['keycloak', forPeople(maintenance)],
    ['keycloak', forPeople(blocked)],
    ['oidc', maintenance],
    ['oidc', forPeople(blocked)],
  ] as const satisfies readonly (readonly ['keycloak' | 'oidc', Page])[]) {
    tally.planted('login-page-strange', await behind(t, kind, page))
  }
})

test('a theme that fails, or nothing behind the proxy', async (t) => {
  for (const kind of ['keycloak', 'oidc'] as const) {
    tally.planted('login-page-fails', await behind(t, kind, failing))
    tally.planted('login-page-fails', await behind(t, kind, forPeople(failing)))
    tally.planted('login-page-fails', await behind(t, kind, says(502, '<h1>502 Bad Gateway</h1>')))
  }
})

test('an error of the provider that nobody knows', async (t) => {
  const found = await behind(t, 'oidc', says(400, '<h1>No tenant</h1>'))
  tally.planted('authorization-refused', found)
  assert.match(found[0]!.cause, /answered 400: No tenant/)
  tally.planted('authorization-refused', await behind(t, 'keycloak', says(400, '<p>Of all things</p>')))
})
