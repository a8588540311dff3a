/** The doctor on a real Keycloak: each fault is planted by the Admin API, and has to be named alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Asked } from '../../src/cli/doctor/examination.ts'
import { openKeycloak } from '../support/keycloak.ts'
import { clientId, clientSecret, makeRealm, type Realm, type RealmOptions } from '../support/keycloak-realm.ts'
import { examine, type Keys, wrong } from './patient.ts'
import { openTally } from './tally.ts'

interface Plant {
  readonly fault: string
  /** What has to be found, sorted; nothing else may be. */
  readonly names: readonly string[]
  readonly realm?: RealmOptions
  readonly provider?: (realm: Realm) => Keys
  readonly keys?: Keys
  readonly asked?: Partial<Asked>
  readonly cause?: RegExp
  readonly fix?: RegExp
}

const byAddress = (url: string) => url.replace('//localhost:', '//127.0.0.1:')

const builtIn = ['profile', 'email', 'roles', 'web-origins', 'basic', 'acr']

const plants: readonly Plant[] = [
  { fault: 'nothing', names: [] },
  {
    fault: 'an alias of the host in the file',
    names: ['issuer-mismatch'],
    realm: { frontendUrl: true },
    provider: ({ issuer }) => ({ issuer: byAddress(issuer) }),
    cause: /^invalid issuer: expected http:\/\/127\.0\.0\.1:.*, got http:\/\/localhost:.* is an alias/,
    fix: /^write `issuer: http:\/\/localhost:\d+\/realms\/[\w-]+`$/,
  },
  {
    fault: 'a slash at the end of the issuer',
    names: ['issuer-mismatch'],
    provider: ({ issuer }) => ({ issuer: `${issuer}/` }),
    cause: /differ by the slash at the end alone/,
  },
  {
    fault: '/auth in front of the realm',
    names: ['issuer-base-path'],
    provider: ({ issuer }) => ({ issuer: issuer.replace('/realms/', '/auth/realms/') }),
    fix: /write `issuer: http:\/\/localhost:\d+\/realms\//,
  },
  {
    fault: 'another realm',
    names: ['wrong-realm'],
    provider: ({ issuer }) => ({ issuer: issuer.replace(/[^/]+$/, 'nobody-made-it') }),
  },
  { fault: 'another client', names: ['client-unknown'], provider: () => ({ clientId: 'nobody' }) },
  { fault: 'a disabled client', names: ['client-disabled'], realm: { client: { enabled: false } } },
  {
    fault: 'another secret',
    names: ['wrong-client-secret'],
    provider: () => ({ clientSecret: 'another-secret-than-keycloak-has' }),
  },
  {
    fault: 'a line break at the end of the secret in Keycloak',
    names: ['client-secret-newline'],
    realm: { client: { secret: `${clientSecret}\n` } },
  },
  {
    fault: 'the asterisks of an export as secret',
    names: ['client-secret-placeholder'],
    provider: () => ({ clientSecret: '**********' }),
  },
  {
    fault: 'no secret in the file',
    names: ['client-secret-missing'],
    provider: () => ({ clientSecret: undefined }),
  },
  {
    fault: 'a redirect URI that is not registered',
    names: ['redirect-uri-not-registered'],
    realm: { client: { redirectUris: ['http://127.0.0.1:1/_doorward/callback'] } },
  },
  {
    fault: 'a post-logout URI that is not registered',
    names: ['post-logout-uri-not-registered'],
    realm: { attributes: { 'post.logout.redirect.uris': 'http://127.0.0.1:1/' } },
  },
  {
    fault: 'PKCE by another method',
    names: ['pkce-refused'],
    realm: { attributes: { 'pkce.code.challenge.method': 'plain' } },
  },
  { fault: 'the standard flow is off', names: ['flow-disabled'], realm: { client: { standardFlowEnabled: false } } },
  {
    fault: 'pushed requests alone',
    names: ['par-required'],
    realm: { attributes: { 'require.pushed.authorization.requests': 'true' } },
  },
  {
    fault: 'no iss in answers',
    names: ['iss-missing'],
    realm: { attributes: { 'exclude.issuer.from.auth.response': 'true' } },
  },
  {
    fault: 'built-in client scopes are lost',
    names: ['client-scopes-lost'],
    realm: { client: { defaultClientScopes: ['profile', 'email'] } },
    cause: /roles, web-origins, basic, acr/,
  },
  {
    fault: 'offline_access is asked for, and the client does not have it',
    names: ['offline-access-refused'],
    realm: { client: { defaultClientScopes: builtIn, optionalClientScopes: ['phone'] } },
    provider: () => ({ scopes: ['openid', 'profile', 'email', 'offline_access'] }),
  },
  {
    fault: 'a scope nobody knows',
    names: ['scope-refused'],
    provider: () => ({ scopes: ['openid', 'profile', 'email', 'groups'] }),
  },
  { fault: 'HTTPS required', names: ['https-required'], realm: { realm: { sslRequired: 'all' } } },
]

const tally = openTally('provider, on Keycloak')

for (const plant of plants) {
  test(`${plant.fault}: ${plant.names.join(', ') || 'no finding'}`, async (t) => {
    const keycloak = await openKeycloak(t)
    if (keycloak === undefined) return
    const realm = await makeRealm(t, keycloak, plant.realm)
    const findings = await examine(t, keysOf(realm, plant), { asked: plant.asked ?? {} })
    const found = wrong(findings)
    if (plant.names.length === 0) tally.healthy(found)
    else tally.planted(plant.names, found)
    const [first] = findings.filter(({ name }) => plant.names.includes(name))
    if (plant.cause !== undefined) assert.match(first!.cause, plant.cause)
    if (plant.fix !== undefined) assert.match(first!.fix, plant.fix)
    assert.ok(!JSON.stringify(findings).includes(clientSecret), 'no secret is printed')
  })
}

function keysOf(realm: Realm, plant: Plant): Keys {
  const usual = realm.configOf({ publicUrl: realm.gatewayUrl, issuer: realm.issuer, application: 'http://127.0.0.1:1' })
  const provider = { kind: 'keycloak', issuer: realm.issuer, clientId, clientSecret, ...plant.provider?.(realm) }
  return { publicUrl: realm.gatewayUrl, ...usual, provider, ...plant.keys }
}
