/** No list of the corpus is forgotten. Named lists check their own names; here each list says where it is run. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { corpus } from '../support/corpus.ts'

const runBy: Record<string, readonly string[] | string> = {
  openRedirect: ['attacks/redirects.test.ts', 'forward-auth/through-a-gateway.test.ts', 'core/urls.test.ts'],
  openRedirectAllowed: ['attacks/redirects.test.ts', 'core/urls.test.ts'],
  openRedirectSelf: ['attacks/redirects.test.ts', 'core/urls.test.ts'],
  pathBypass: ['attacks/paths.test.ts', 'forward-auth/through-a-gateway.test.ts', 'core/target.test.ts'],
  headerSmuggling: ['attacks/headers.test.ts', 'proxy/headers.test.ts'],
  forwardedHost: ['attacks/hosts.test.ts', 'core/target.test.ts'],
  jwtTampering: ['attacks/tokens.test.ts', 'bearer/jwt-tampering.test.ts'],
  cookieTampering: ['attacks/cookies.test.ts'],
  oidcCallback: ['oidc/callback.test.ts'],
  requestSmuggling: ['attacks/smuggling.test.ts', 'proxy/request-smuggling.test.ts'],
  upstreamResponses: ['attacks/upstream-answers.test.ts', 'proxy/misbehaving-upstream.test.ts'],
  backchannelLogout: ['journeys/backchannel-logout.test.ts', 'journeys/logout-token-refused.test.ts'],
  asAttacks: 'the authorization server for MCP clients is not there yet',
}

test('every list of the corpus is run, or says why not', () => {
  const lists = Object.keys(corpus).filter((name) => name !== '_meta')
  assert.deepEqual(Object.keys(runBy).toSorted(), lists.toSorted())
  for (const files of Object.values(runBy)) {
    if (typeof files === 'string') continue
    for (const file of files) assert.ok(existsSync(new URL(`../${file}`, import.meta.url)), file)
  }
})
