/** What operators do to a Keycloak besides: settings that look right, and settings that look wrong and are not. */
import type { Plant } from './keycloak-plants.ts'

const builtIn = ['profile', 'email', 'roles', 'web-origins', 'basic', 'acr']
const callback = (change: (uri: string) => string) => (gatewayUrl: string) => [
  change(`${gatewayUrl}/_doorward/callback`),
]
const groupsMapper = (config: Readonly<Record<string, string>>) => ({
  name: 'groups',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-group-membership-mapper',
  config: { 'claim.name': 'groups', 'full.path': 'true', 'id.token.claim': 'true', ...config },
})
const upstream = 'http://127.0.0.1:1'
const asking = (allow: unknown) => () => ({ routes: [{ allow, upstream }] })

/** Nothing is wrong, although each of them is often blamed. */
const healthy: readonly Plant[] = [
  ...(['PS256', 'ES256', 'EdDSA', 'RS512'] as const).map(
    (algorithm): Plant => ({
      fault: `nothing, with ID tokens signed by ${algorithm}`,
      names: [],
      eyes: 'person',
      attributes: { 'id.token.signed.response.alg': algorithm },
    }),
  ),
  { fault: 'nothing, with consent required', names: [], client: { consentRequired: true } },
  {
    fault: 'nothing, with a wildcard as redirect URI',
    names: [],
    eyes: 'admin',
    redirectUris: callback((uri) => uri.replace('_doorward/callback', '*')),
    notes: ['redirect-uri-wildcard'],
  },
  {
    fault: 'nothing, with the lifetimes of an untouched Keycloak and of an untouched file',
    names: [],
    eyes: 'admin',
    keys: () => ({ session: {} }),
    notes: ['sso-idle-short', 'sso-max-short'],
  },
  {
    fault: 'nothing, with an idle time that a token longer would be too long',
    names: [],
    eyes: 'admin',
    keys: () => ({ session: { idle: '30m', lifetime: '10h' } }),
    notes: ['sso-idle-short'],
  },
  {
    fault: 'nothing, with the groups in userinfo alone',
    names: [],
    eyes: 'all',
    client: { protocolMappers: [groupsMapper({ 'id.token.claim': 'false', 'userinfo.token.claim': 'true' })] },
  },
  {
    fault: 'nothing, with the groups mapper in a default client scope',
    names: [],
    eyes: 'all',
    client: { protocolMappers: [], defaultClientScopes: [...builtIn, 'groups-by-default'] },
    scope: { name: 'groups-by-default', protocol: 'openid-connect', protocolMappers: [groupsMapper({})] },
  },
  {
    fault: 'nothing, with groups by their names, as the rules have them',
    names: [],
    eyes: 'all',
    client: { protocolMappers: [groupsMapper({ 'full.path': 'false' })] },
    keys: asking({ groups: ['admins'] }),
  },
  {
    fault: 'nothing, with lightweight access tokens, and no rule that asks for roles',
    names: [],
    eyes: 'all',
    attributes: { 'client.use.lightweight.access.token.enabled': 'true' },
    keys: asking({ groups: ['/platform/admins'] }),
  },
]

export const fieldPlants: readonly Plant[] = [
  ...healthy,
  ...(
    [
      ['a slash at its end', (uri) => `${uri}/`, /differs in the slash at its end/],
      ['capital letters', (uri) => uri.replace('callback', 'Callback'), /differs in capital letters/],
      ['another port', (uri) => uri.replace(/:\d+/, ':4180'), /differs in the port/],
      ['another scheme', (uri) => uri.replace('http:', 'https:'), /differs in the scheme/],
      ['another host', (uri) => uri.replace('127.0.0.1', 'localhost'), /differs in the host/],
      ['another path', (uri) => uri.replace('_doorward', 'oauth2'), /differs in the path/],
    ] satisfies [string, (uri: string) => string, RegExp][]
  ).map(
    ([what, change, cause]): Plant => ({
      fault: `a redirect URI with ${what}`,
      names: ['redirect-uri-not-registered'],
      eyes: 'admin',
      redirectUris: callback(change),
      cause,
    }),
  ),
  {
    fault: 'a disabled realm',
    names: ['realm-disabled'],
    ownRealm: { realm: { enabled: false } },
  },
  { fault: 'a client of SAML', names: ['client-other-protocol'], client: { protocol: 'saml' } },
  { fault: 'a public client', names: ['client-secret-unchecked'], client: { publicClient: true } },
  {
    fault: 'the implicit flow in place of the standard one',
    names: ['flow-disabled'],
    client: { standardFlowEnabled: false, implicitFlowEnabled: true },
  },
  {
    fault: 'a secret that is taken by post alone',
    isLater: true,
    names: ['client-auth-method'],
    attributes: { 'client.secret.authentication.allowed.method': 'client_secret_post' },
  },
  ...['client-x509', 'client-jwt'].map(
    (clientAuthenticatorType): Plant => ({
      fault: `a secret, where ${clientAuthenticatorType} is wanted`,
      names: ['client-auth-method'],
      client: { clientAuthenticatorType },
    }),
  ),
  {
    fault: 'tokens bound by DPoP',
    isLater: true,
    names: ['dpop-required'],
    attributes: { 'dpop.bound.access.tokens': 'true' },
  },
  {
    fault: 'groups by their names, and rules with paths',
    names: ['groups-path-off'],
    eyes: 'admin',
    client: { protocolMappers: [groupsMapper({ 'full.path': 'false' })] },
  },
  {
    fault: 'groups by their names, and rules with paths, seen by the person',
    names: ['groups-path-off'],
    eyes: 'person',
    client: { protocolMappers: [groupsMapper({ 'full.path': 'false' })] },
  },
  ...(['admin', 'person'] as const).map(
    (eyes): Plant => ({
      fault: `groups by their paths, and a rule without, seen by ${eyes}`,
      names: ['groups-rule-without-path'],
      eyes,
      keys: asking({ groups: ['admins'] }),
    }),
  ),
  {
    fault: 'a groups mapper that is switched off',
    names: ['groups-mapper-missing'],
    eyes: 'admin',
    client: { protocolMappers: [groupsMapper({ 'id.token.claim': 'false' })] },
  },
  {
    fault: 'the groups in an optional client scope',
    names: ['groups-mapper-missing'],
    eyes: 'admin',
    client: { protocolMappers: [], defaultClientScopes: builtIn, optionalClientScopes: ['groups-of-the-test'] },
    scope: { name: 'groups-of-the-test', protocol: 'openid-connect', protocolMappers: [groupsMapper({})] },
    cause: /client scope groups-of-the-test has it, and is optional/,
  },
  {
    fault: 'an audience mapper that is switched off',
    names: ['audience-mapper-missing'],
    eyes: 'admin',
    client: {
      protocolMappers: [
        groupsMapper({}),
        {
          name: 'audience',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-audience-mapper',
          config: { 'included.custom.audience': 'an-api', 'id.token.claim': 'false', 'access.token.claim': 'false' },
        },
      ],
    },
    keys: ({ issuer }) => ({ bearer: [{ issuer, audience: 'an-api' }] }),
  },
  {
    fault: 'an audience mapper that writes into the ID token',
    names: ['sign-in-failed'],
    eyes: 'person',
    client: {
      protocolMappers: [
        groupsMapper({}),
        {
          name: 'audience',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-audience-mapper',
          config: { 'included.custom.audience': 'an-api', 'id.token.claim': 'true', 'access.token.claim': 'true' },
        },
      ],
    },
    fix: /turn “Add to ID token” off/,
  },
  ...(['admin', 'person'] as const).map(
    (eyes): Plant => ({
      fault: `lightweight access tokens, and a rule with roles, seen by ${eyes}`,
      names: ['roles-not-in-tokens'],
      eyes,
      attributes: { 'client.use.lightweight.access.token.enabled': 'true' },
      keys: asking({ realmRoles: ['platform-admin'] }),
    }),
  ),
  {
    fault: 'a role that the scope of the client leaves out',
    names: ['roles-not-in-tokens'],
    eyes: 'admin',
    client: { fullScopeAllowed: false },
    keys: asking({ realmRoles: ['platform-admin'] }),
  },
  {
    fault: 'a lifetime of the file beyond that of Keycloak',
    names: ['sso-max-short'],
    eyes: 'admin',
    keys: () => ({ session: { idle: '15m', lifetime: '12h' } }),
  },
  {
    fault: 'a client with a shorter idle end of its own',
    names: ['sso-idle-short'],
    eyes: 'admin',
    attributes: { 'client.session.idle.timeout': '600' },
  },
]
