// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Keycloak replaces these itself
/**
 * The client scopes a new realm of Keycloak 26 has and a login here needs, with Keycloak's own names and mappers. An
 * import with a list of scopes of its own loses them.
 */
import type { MapperRepresentation } from './representations.ts'

export interface BuiltInScope {
  readonly name: string
  readonly description: string
  readonly protocol: 'openid-connect'
  readonly attributes: Readonly<Record<string, string>>
  readonly protocolMappers: readonly MapperRepresentation[]
}

const everywhere = {
  'id.token.claim': 'true',
  'access.token.claim': 'true',
  'userinfo.token.claim': 'true',
  'introspection.token.claim': 'true',
}
const inAccessToken = { 'access.token.claim': 'true', 'introspection.token.claim': 'true' }
const inBothTokens = { ...inAccessToken, 'id.token.claim': 'true' }

const mapper = (name: string, kind: string, config: Readonly<Record<string, string>>): MapperRepresentation => ({
  name,
  protocol: 'openid-connect',
  protocolMapper: kind,
  config,
})

const userMapper = (name: string, attribute: string, claim: string, type = 'String'): MapperRepresentation =>
  mapper(name, 'oidc-usermodel-attribute-mapper', {
    ...everywhere,
    'user.attribute': attribute,
    'claim.name': claim,
    'jsonType.label': type,
  })

const rolesMapper = (name: string, kind: string, claim: string): MapperRepresentation =>
  mapper(name, kind, {
    ...inAccessToken,
    'user.attribute': 'foo',
    'claim.name': claim,
    'jsonType.label': 'String',
    multivalued: 'true',
  })

const silent = { 'include.in.token.scope': 'false', 'display.on.consent.screen': 'false' }
const asked = { 'include.in.token.scope': 'true', 'display.on.consent.screen': 'true' }

const scope = (
  name: string,
  attributes: BuiltInScope['attributes'],
  protocolMappers: BuiltInScope['protocolMappers'],
): BuiltInScope => ({
  name,
  description: `OpenID Connect built-in scope: ${name}`,
  protocol: 'openid-connect',
  attributes,
  protocolMappers,
})

/** In the order in which they are missed: without `basic` (Keycloak 25 and later) tokens have no `sub`. */
export const builtInScopes: readonly BuiltInScope[] = [
  scope('basic', silent, [
    mapper('sub', 'oidc-sub-mapper', inAccessToken),
    mapper('auth_time', 'oidc-usersessionmodel-note-mapper', {
      ...inBothTokens,
      'user.session.note': 'AUTH_TIME',
      'claim.name': 'auth_time',
      'jsonType.label': 'long',
    }),
  ]),
  scope('profile', { ...asked, 'consent.screen.text': '${profileScopeConsentText}' }, [
    userMapper('username', 'username', 'preferred_username'),
    mapper('full name', 'oidc-full-name-mapper', everywhere),
    userMapper('given name', 'firstName', 'given_name'),
    userMapper('family name', 'lastName', 'family_name'),
    userMapper('middle name', 'middleName', 'middle_name'),
    userMapper('nickname', 'nickname', 'nickname'),
    userMapper('profile', 'profile', 'profile'),
    userMapper('picture', 'picture', 'picture'),
    userMapper('website', 'website', 'website'),
    userMapper('gender', 'gender', 'gender'),
    userMapper('birthdate', 'birthdate', 'birthdate'),
    userMapper('zoneinfo', 'zoneinfo', 'zoneinfo'),
    userMapper('locale', 'locale', 'locale'),
    userMapper('updated at', 'updatedAt', 'updated_at', 'long'),
  ]),
  scope('email', { ...asked, 'consent.screen.text': '${emailScopeConsentText}' }, [
    userMapper('email', 'email', 'email'),
    mapper('email verified', 'oidc-usermodel-property-mapper', {
      ...everywhere,
      'user.attribute': 'emailVerified',
      'claim.name': 'email_verified',
      'jsonType.label': 'boolean',
    }),
  ]),
  scope('roles', { ...asked, 'include.in.token.scope': 'false', 'consent.screen.text': '${rolesScopeConsentText}' }, [
    rolesMapper('realm roles', 'oidc-usermodel-realm-role-mapper', 'realm_access.roles'),
    rolesMapper('client roles', 'oidc-usermodel-client-role-mapper', 'resource_access.${client_id}.roles'),
    mapper('audience resolve', 'oidc-audience-resolve-mapper', inAccessToken),
  ]),
  scope('acr', silent, [mapper('acr loa level', 'oidc-acr-mapper', inBothTokens)]),
]
