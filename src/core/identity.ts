/**
 * Who is asking, once a credential has been proved. Nothing here depends on how it was proved.
 * The key of a person is (`issuer`, `subject`): OpenID Connect Core 5.7; everything else may change.
 */
export interface Identity {
  /** Name of the provider in the file (`default` where there is one), or the bearer entry's issuer. */
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** `preferred_username`, else the subject. For people to read; never the key of anything. */
  readonly username: string
  /** Only when the provider says it is verified, or the file trusts it unverified. */
  readonly email?: string
  /** Display name. */
  readonly name?: string
  /** As the provider spells them: Keycloak's leading slash is significant unless `groupPaths: ignore`. */
  readonly groups: readonly string[]
  /** Keycloak `realm_access.roles`. */
  readonly realmRoles: readonly string[]
  /** Keycloak `resource_access.<client>.roles`. */
  readonly clientRoles: Readonly<Record<string, readonly string[]>>
  readonly scopes: readonly string[]
  /** Authentication context class the provider reported (OpenID Connect Core 2). */
  readonly acr?: string
  /** When the person last proved themselves to the provider, in seconds since the epoch (`auth_time`). */
  readonly authTime?: number
  /** The claims that rules and header templates of the file mention, and no others. */
  readonly claims: Readonly<Record<string, unknown>>
}
