/** Which client scopes have to be made in the realm, and which the client has to get. */

import type { ScopeKind } from './admin-client.ts'
import { type BuiltInScope, builtInScopes } from './built-in-scopes.ts'

export interface ScopeStep {
  readonly name: string
  readonly kind: ScopeKind
  /** The client has it as an optional one already, which nobody asks for. */
  readonly wasOptional: boolean
}

export interface FoundScopes {
  /** Names of all scopes of the realm. */
  readonly realm: readonly string[]
  /** Names of those the client has, or will have when it is made. */
  readonly client: Readonly<Record<ScopeKind, readonly string[]>>
}

export interface ScopePlan {
  readonly create: readonly BuiltInScope[]
  readonly assign: readonly ScopeStep[]
  /** Asked for by the file, and unknown to the realm. */
  readonly unknown: readonly string[]
}

/** @param requested `provider.scopes` of the file */
export function scopePlan(requested: readonly string[], { realm, client }: FoundScopes): ScopePlan {
  const create = builtInScopes.filter(({ name }) => !realm.includes(name))
  const assign = builtInScopes.flatMap(({ name }): ScopeStep[] => {
    if (client.default.includes(name)) return []
    const wasOptional = client.optional.includes(name)
    return wasOptional && requested.includes(name) ? [] : [{ name, kind: 'default', wasOptional }]
  })
  const others = requested.filter(
    (name) => name !== 'openid' && !builtInScopes.some((scope) => scope.name === name) && !hasScope(client, name),
  )
  const isKnown = (name: string) => realm.includes(nameOf(name))
  return {
    create,
    assign: [
      ...assign,
      ...others
        .filter(isKnown)
        .map((name): ScopeStep => ({ name: nameOf(name), kind: 'optional', wasOptional: false })),
    ],
    unknown: others.filter((name) => !isKnown(name)),
  }
}

/** `organization:acme` asks the scope `organization` with a parameter. */
const nameOf = (requested: string): string => requested.split(':', 1)[0]!

const hasScope = (client: FoundScopes['client'], requested: string): boolean =>
  [requested, nameOf(requested)].some((name) => client.default.includes(name) || client.optional.includes(name))
