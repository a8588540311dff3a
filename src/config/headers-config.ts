import type { Secret } from '../core/secret.ts'

export interface HeadersConfig {
  /** Name -> template (`{sub}`, `{claim:department}`, …). Includes the default or preset set. */
  readonly set: readonly HeaderTemplate[]
  readonly encoding: 'ascii' | 'utf8'
  readonly groupSeparator: string
  /** Authorization: Basic for the upstream. */
  readonly basicAuth: { readonly username: string; readonly password: Secret } | undefined
  /** Let a client's own Authorization header through to the upstream. */
  readonly forwardAuthorization: boolean
}

export interface HeaderTemplate {
  /** As written, for sending. */
  readonly name: string
  readonly parts: readonly TemplatePart[]
}

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sub' | 'username' | 'email' | 'name' | 'groups' | 'accessToken' | 'idToken' }
  | { readonly kind: 'claim'; readonly claim: string }
