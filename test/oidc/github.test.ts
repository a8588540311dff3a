/** Where GitHub is, in its three shapes. The rest is in test/journeys/github.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gitHubEndpoints } from '../../src/oidc/github/endpoints.ts'

test('github.com, a tenant of ghe.com and a server of one’s own', () => {
  const rows = [
    ['https://github.com', 'https://github.com/login/oauth/authorize', 'https://api.github.com'],
    ['https://acme.ghe.com', 'https://acme.ghe.com/login/oauth/authorize', 'https://api.acme.ghe.com'],
    ['https://git.corp.example/', 'https://git.corp.example/login/oauth/authorize', 'https://git.corp.example/api/v3'],
    [
      'https://github.com.evil.example',
      'https://github.com.evil.example/login/oauth/authorize',
      'https://github.com.evil.example/api/v3',
    ],
  ] as const
  for (const [issuer, authorization, api] of rows) {
    const found = gitHubEndpoints(issuer)
    assert.equal(found.authorization.href, authorization)
    assert.equal(found.api, api)
  }
  assert.deepEqual(gitHubEndpoints('https://github.com').issuers, [
    'https://github.com',
    'https://github.com/login/oauth',
  ])
})
