import { readMembers } from '../../core/foreign-json.ts'
import { CommandError } from '../world.ts'

/**
 * `admin_login`: Keycloak does not believe who we say we are. `admin_denied`: it does, and the account may not.
 * `realm_missing`: the realm of the issuer does not exist. `conflict`: what should be made exists.
 * `admin_unreachable`: no usable answer. `admin_refused`: any other no, with Keycloak's own words.
 */
export type AdminErrorCode =
  | 'admin_login'
  | 'admin_denied'
  | 'realm_missing'
  | 'conflict'
  | 'admin_unreachable'
  | 'admin_refused'

/** The Admin API did not do what was asked; message and hint are for the person who asked. */
export class KeycloakAdminError extends CommandError {
  readonly code: AdminErrorCode
  /** Of `admin_denied`: the role of `realm-management` that would do. */
  readonly role: string | undefined

  constructor(
    code: AdminErrorCode,
    message: string,
    hint: string,
    options: ErrorOptions & { readonly role?: string } = {},
  ) {
    super(message, hint, options)
    this.name = 'KeycloakAdminError'
    this.code = code
    this.role = options.role
  }
}

/**
 * Keycloak says no in four shapes: `error`, `error` with `error_description`, `errorMessage`, and no JSON at all. In one
 * line, or what stands in front of Keycloak could write lines of ours.
 */
export function adminErrorText(body: string): string {
  // A page of a proxy in between says nothing that is worth a line.
  const { errorMessage, error_description, error } = readMembers(body)
  for (const text of [errorMessage, error_description, error])
    if (typeof text === 'string') return text.replace(/\s+/g, ' ').slice(0, 500)
  return ''
}
