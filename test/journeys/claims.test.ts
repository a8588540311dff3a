/** What the file makes of claims, from the token to the rule and to the header: the table of docs/keycloak.md. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { signedIn, startGateway } from '../support/gateway.ts'

const ada = {
  username: 'ada',
  password: 'ada',
  emailVerified: true,
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  groups: ['/staff', '/staff/research', '/other'],
  realmRoles: ['admin', 'auditor'],
  clientRoles: { grafana: ['editor'] },
  more: { identity_provider: 'github', address: { country: 'DE' }, department: ['research', 'press'], 'a.b': 'flat' },
}

const headers = {
  'X-Kind': '{claim:identity_provider} account',
  'X-Country': '{claim:address.country}',
  'X-Flat': '{claim:a.b}',
  'X-Department': '{claim:department}',
  'X-Realm-Roles': '{claim:realm_access.roles}',
  'X-Client-Roles': '{claim:resource_access.grafana.roles}',
  'X-Who': '{username} <{email}>',
  'X-Groups': '{groups}',
  'X-Unknown': '{claim:nobody.has.this}',
}

const rules: Readonly<Record<string, object>> = {
  kind: { claims: { identity_provider: ['github', 'corp'] } },
  country: { claims: { 'address.country': ['DE'] } },
  flat: { claims: { 'a.b': 'flat' } },
  department: { claims: { department: ['press'] } },
  realm: { realmRoles: ['admin'] },
  client: { clientRoles: ['grafana:editor'] },
  groups: { groups: ['/staff/*'] },
}
const refused: Readonly<Record<string, object>> = {
  'other-kind': { claims: { identity_provider: ['corp'] } },
  'other-country': { claims: { 'address.country': ['FR'] } },
  'other-client': { clientRoles: ['prometheus:editor'] },
  'realm-as-client': { clientRoles: ['grafana:admin'] },
  'client-as-realm': { realmRoles: ['editor'] },
  'dropped-group': { groups: ['/other'] },
  missing: { claims: { 'address.city': ['Berlin'] } },
}

for (const store of ['memory', 'cookie'] as const) {
  describe(`claims, store ${store}`, () => {
    test('each kind of rule judges by its own claim, and each template writes it', async (t) => {
      const gateway = await startGateway(t, {
        store,
        users: [ada],
        config: ({ application, issuer }) => ({
          provider: {
            issuer,
            clientId: 'gateway',
            clientSecret: 'the-client-secret-of-the-journeys',
            groupsKept: ['/staff/*'],
          },
          routes: [
            ...Object.entries({ ...rules, ...refused }).map(([name, allow]) => ({
              path: `/${name}`,
              allow,
              upstream: application,
            })),
            { allow: 'signedIn', upstream: application, headers },
          ],
        }),
      })
      const browser = await signedIn(gateway)
      for (const name of Object.keys(rules)) {
        assert.equal((await browser.navigate(`${gateway.origin}/${name}`)).status, 200, name)
      }
      for (const name of Object.keys(refused)) {
        assert.equal((await browser.navigate(`${gateway.origin}/${name}`)).status, 403, name)
      }
      await browser.navigate(`${gateway.origin}/`)
      const got = gateway.application.last().headers
      const written = Object.fromEntries(Object.keys(headers).map((name) => [name, got[name.toLowerCase()]]))
      assert.deepEqual(written, {
        'X-Kind': 'github account',
        'X-Country': 'DE',
        'X-Flat': 'flat',
        'X-Department': 'research,press',
        'X-Realm-Roles': 'admin,auditor',
        'X-Client-Roles': 'editor',
        'X-Who': 'ada <ada@example.com>',
        'X-Groups': '/staff/research',
        'X-Unknown': undefined,
      })
    })
  })
}

describe('the kind of account', () => {
  const asked = async (t: Parameters<typeof startGateway>[0], person: object, accountKinds: object | undefined) => {
    const gateway = await startGateway(t, {
      users: [{ ...ada, ...person }],
      config: ({ application, issuer }) => ({
        provider: { issuer, clientId: 'gateway', clientSecret: 'the-client-secret-of-the-journeys', accountKinds },
        routes: [
          { path: '/closed', allow: { groups: ['/nobody'] }, upstream: application },
          { allow: 'signedIn', upstream: application },
        ],
      }),
    })
    const browser = await signedIn(gateway)
    const { account } = JSON.parse((await browser.fetch(gateway.own('session'))).body)
    const { text } = await browser.navigate(`${gateway.origin}/closed`)
    return { account, said: /Signed in with\s+(.*?)\s+To see it/s.exec(text)?.[1] }
  }

  test('has the name that the file gives the identity provider behind the realm, on pages and in session', async (t) => {
    assert.deepEqual(await asked(t, {}, { github: 'GitHub' }), {
      account: { kind: 'github', label: 'GitHub' },
      said: 'GitHub',
    })
  })

  test('is the alias where the file has no word for it, also where the alias is a word of JavaScript', async (t) => {
    assert.deepEqual(await asked(t, { more: { identity_provider: 'constructor' } }, { github: 'GitHub' }), {
      account: { kind: 'constructor', label: 'constructor' },
      said: 'constructor',
    })
  })

  test('is not told of an account of the realm, of a claim that is no text, and where the file does not ask', async (t) => {
    const nothing = { account: undefined, said: undefined }
    assert.deepEqual(await asked(t, { more: {} }, { github: 'GitHub' }), nothing)
    assert.deepEqual(await asked(t, { more: { identity_provider: ['github'] } }, { github: 'GitHub' }), nothing)
    assert.deepEqual(await asked(t, {}, undefined), nothing)
  })
})
