/**
 * As much of the Admin REST API's representations as is looked at. Everything else in them is kept as it came, so that
 * a representation that was read can be sent back changed.
 */
import { z } from 'zod'

const texts = z.array(z.string())
const attributes = z.record(z.string(), z.string())

export const mapperSchema = z.looseObject({
  id: z.string().optional(),
  name: z.string(),
  protocol: z.string().optional(),
  /** `oidc-group-membership-mapper`, `oidc-audience-mapper`, `oidc-usermodel-realm-role-mapper`, … */
  protocolMapper: z.string(),
  config: z.record(z.string(), z.string().nullish()).optional(),
})

/** Every time is in seconds; 0 in a `client…` field means: as the realm's session. */
export const realmSchema = z.looseObject({
  realm: z.string(),
  enabled: z.boolean().optional(),
  /** Left out, as all below, for an account without `view-realm`: Keycloak then tells the name alone. */
  accessTokenLifespan: z.number().optional(),
  ssoSessionIdleTimeout: z.number().optional(),
  ssoSessionMaxLifespan: z.number().optional(),
  clientSessionIdleTimeout: z.number().optional(),
  clientSessionMaxLifespan: z.number().optional(),
  offlineSessionIdleTimeout: z.number().optional(),
  revokeRefreshToken: z.boolean().optional(),
  refreshTokenMaxReuse: z.number().optional(),
  sslRequired: z.string().optional(),
  /** `frontendUrl` among them: the realm's own public address. */
  attributes: attributes.optional(),
})

export const clientSchema = z.looseObject({
  id: z.string(),
  clientId: z.string(),
  enabled: z.boolean().optional(),
  protocol: z.string().optional(),
  publicClient: z.boolean().optional(),
  bearerOnly: z.boolean().optional(),
  standardFlowEnabled: z.boolean().optional(),
  implicitFlowEnabled: z.boolean().optional(),
  directAccessGrantsEnabled: z.boolean().optional(),
  fullScopeAllowed: z.boolean().optional(),
  frontchannelLogout: z.boolean().optional(),
  /** `client-secret`, `client-jwt`, … */
  clientAuthenticatorType: z.string().optional(),
  /** Relative redirect URIs start here. */
  rootUrl: z.string().optional(),
  redirectUris: texts.optional(),
  webOrigins: texts.optional(),
  attributes: attributes.optional(),
  protocolMappers: z.array(mapperSchema).optional(),
  /** Names. A change of these two in an update is ignored by Keycloak: see `addScopeToClient`. */
  defaultClientScopes: texts.optional(),
  optionalClientScopes: texts.optional(),
})

export const scopeSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  protocol: z.string().optional(),
  attributes: attributes.optional(),
  protocolMappers: z.array(mapperSchema).optional(),
})

export type MapperRepresentation = z.infer<typeof mapperSchema>
export type RealmRepresentation = z.infer<typeof realmSchema>
export type ClientRepresentation = z.infer<typeof clientSchema>
export type ScopeRepresentation = z.infer<typeof scopeSchema>
