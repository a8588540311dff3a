import type { Identity } from './identity.ts'

/** Keycloak's session note: the alias of the identity provider a person came through. Accounts of the realm have none. */
export const accountKindClaim = 'identity_provider'

/** Through which identity provider behind the provider somebody came. */
export interface AccountKind {
  readonly kind: string
  /** What people call it: the file's word, else the alias. */
  readonly label: string
}

/**
 * @param labels the file's words for aliases, of the provider that signed the person in
 * @returns undefined for an account of the provider's own, and where the claim was not asked for
 */
export function accountKindOf({ claims }: Identity, labels: Readonly<Record<string, string>>): AccountKind | undefined {
  const kind = claims[accountKindClaim]
  if (typeof kind !== 'string' || kind === '') return undefined
  return { kind, label: Object.hasOwn(labels, kind) ? labels[kind]! : kind }
}
