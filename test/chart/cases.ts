/** Values a person could write, and what has to come of them. */
import assert from 'node:assert/strict'
import type { Rendered, Values } from './helm.ts'

export interface Case {
  readonly name: string
  readonly values: Values
  readonly expect: (rendered: Rendered) => void
}

const issuer = 'https://sso.example.com/realms/main'
const client = { client: { existingSecret: 'keycloak-client' } }
const routes = [{ allow: 'signedIn' }]
const config = { publicUrl: 'https://app.example.com', trustedProxies: ['10.42.0.7'], routes }

/** The least that mode forward-auth takes, plus what the case is about. Maps one level deep are merged. */
export const base = (more: Values = {}): Values => {
  const usual: Values = { keycloak: { issuer }, secrets: client, config }
  const merged = Object.entries(more).map(([key, value]) => {
    const old = usual[key]
    const isMap = (one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one)
    return [key, isMap(old) && isMap(value) ? { ...Object(old), ...Object(value) } : value]
  })
  return { ...usual, ...Object.fromEntries(merged) }
}

const fromDomain = 'https://keycloak.apps.example.com/realms/main'
const inCluster = 'http://keycloak.auth.svc.cluster.local:8080'
const certs = '/realms/main/protocol/openid-connect/certs'

/** Where the issuer and its keys come from. Undefined: not in the file, so discovery at the issuer says. */
const resolution: readonly (readonly [string, Values, Values])[] = [
  ['an explicit issuer, keys by its discovery', { keycloak: { issuer } }, { issuer }],
  [
    'an explicit issuer beats the domain',
    { keycloak: { issuer }, global: { domain: 'other.example.com' } },
    { issuer },
  ],
  [
    'an explicit issuer and a service: keys and calls inside',
    { keycloak: { issuer, service: 'http://kc.iam.svc:8080' } },
    { issuer, internalUrl: 'http://kc.iam.svc:8080', jwksUrl: `http://kc.iam.svc:8080${certs}` },
  ],
  [
    'an explicit issuer and jwksUrl',
    { keycloak: { issuer, jwksUrl: 'https://keys.example.com/jwks' } },
    { issuer, jwksUrl: 'https://keys.example.com/jwks' },
  ],
  [
    'jwksUrl beats the service',
    { keycloak: { issuer, service: 'http://kc.iam.svc:8080', jwksUrl: 'http://kc.iam.svc:8080/keys' } },
    { issuer, internalUrl: 'http://kc.iam.svc:8080', jwksUrl: 'http://kc.iam.svc:8080/keys' },
  ],
  [
    'the domain: keycloak.<domain>, keys inside the cluster',
    { keycloak: {}, global: { domain: 'apps.example.com' } },
    { issuer: fromDomain, internalUrl: inCluster, jwksUrl: inCluster + certs },
  ],
  [
    'the domain and another realm and service',
    { keycloak: { realm: 'staff', service: 'http://kc.iam.svc:8080' }, global: { domain: 'apps.example.com' } },
    {
      issuer: 'https://keycloak.apps.example.com/realms/staff',
      internalUrl: 'http://kc.iam.svc:8080',
      jwksUrl: 'http://kc.iam.svc:8080/realms/staff/protocol/openid-connect/certs',
    },
  ],
  [
    'a service and a public address below another path',
    { keycloak: { issuer: 'https://sso.example.com/auth/realms/main', service: 'http://kc.iam.svc:8080/auth' } },
    {
      issuer: 'https://sso.example.com/auth/realms/main',
      internalUrl: 'http://kc.iam.svc:8080/auth',
      jwksUrl: `http://kc.iam.svc:8080/auth${certs}`,
    },
  ],
  [
    'a service below a path that the public address does not have',
    { keycloak: { issuer, service: 'http://kc.iam.svc:8080/auth' } },
    { issuer, internalUrl: 'http://kc.iam.svc:8080/auth', jwksUrl: `http://kc.iam.svc:8080/auth${certs}` },
  ],
  [
    'nothing: for development, inside the cluster',
    { keycloak: {} },
    { issuer: `${inCluster}/realms/main`, jwksUrl: inCluster + certs },
  ],
  [
    'nothing but a service',
    { keycloak: { service: 'http://kc.iam.svc:8080' } },
    { issuer: 'http://kc.iam.svc:8080/realms/main', jwksUrl: `http://kc.iam.svc:8080${certs}` },
  ],
]

const resolutionCases = resolution.map(
  ([name, values, wanted]): Case => ({
    name: `issuer: ${name}`,
    values: { ...base(), ...values },
    expect: ({ config: { provider, allowInsecureHttp } }) => {
      const { issuer, internalUrl, jwksUrl } = provider
      assert.deepEqual({ issuer, internalUrl, jwksUrl }, { internalUrl: undefined, jwksUrl: undefined, ...wanted })
      assert.equal(provider.kind, 'keycloak')
      assert.equal(allowInsecureHttp, issuer.startsWith('http:') ? true : undefined)
    },
  }),
)

const bearerCases = resolution.map(
  ([name, values, wanted]): Case => ({
    name: `bearer tokens: ${name}`,
    values: {
      ...base({ config: { routes: [{ allow: 'signedIn', accept: ['bearer'] }] } }),
      ...values,
      keycloak: { ...Object(values.keycloak), audience: ['api'], signIn: false },
    },
    expect: ({ config: { provider, bearer } }) => {
      assert.equal(provider, undefined)
      assert.deepEqual(bearer, [{ audience: ['api'], ...wanted }])
    },
  }),
)

const ownProviders: readonly Case[] = [
  {
    name: 'a provider of one’s own: any OpenID Connect',
    values: base({
      keycloak: { issuer: '' },
      config: { provider: { kind: 'oidc', issuer: 'https://accounts.example.org', clientId: 'apps' } },
    }),
    expect: ({ config: { provider } }) =>
      assert.deepEqual(provider, {
        kind: 'oidc',
        issuer: 'https://accounts.example.org',
        clientId: 'apps',
        clientSecret: { file: '/run/secrets/doorward/client-secret' },
      }),
  },
  {
    name: 'a provider of one’s own: GitHub',
    values: base({
      keycloak: { issuer: '' },
      global: { domain: 'apps.example.com' },
      config: { provider: { kind: 'github', clientId: 'apps', allowedOrgs: ['acme'] } },
    }),
    expect: ({ config: { provider } }) => {
      assert.equal(provider.kind, 'github')
      assert.equal(provider.issuer, undefined)
    },
  },
  {
    name: 'several providers, their secrets as files',
    values: base({
      keycloak: { issuer: '' },
      secrets: {
        client: {},
        files: [
          { name: 'corp', existingSecret: 'corp-client', key: 'secret' },
          { name: 'partners', existingSecret: 'partners-client', key: 'secret' },
        ],
      },
      config: {
        providers: {
          corp: { issuer, clientId: 'apps', clientSecret: { file: '/run/secrets/doorward/corp' } },
          partners: {
            issuer: 'https://partners.example.org',
            clientId: 'apps',
            clientSecret: { file: '/run/secrets/doorward/partners' },
          },
        },
      },
    }),
    expect: ({ config: { provider, providers }, one }) => {
      assert.equal(provider, undefined)
      assert.deepEqual(Object.keys(providers), ['corp', 'partners'])
      const { sources } = one('Deployment').spec.template.spec.volumes[1]!.projected
      assert.deepEqual(
        sources.map(({ secret }) => `${secret.name}/${secret.items[0]!.path}`),
        ['gate-doorward-session/session-secret', 'corp-client/corp', 'partners-client/partners'],
      )
    },
  },
  {
    name: 'Keycloak with keys of the file beside it',
    values: base({ config: { provider: { groupsKept: ['/apps/*'], clientAuth: 'none' } }, secrets: { client: {} } }),
    expect: ({ config: { provider } }) =>
      assert.deepEqual(provider, {
        kind: 'keycloak',
        issuer,
        clientId: 'doorward',
        groupsKept: ['/apps/*'],
        clientAuth: 'none',
      }),
  },
]

export const issuerCases: readonly Case[] = [...resolutionCases, ...bearerCases, ...ownProviders]
