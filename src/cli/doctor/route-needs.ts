/** What the rules of the file need to know of a person. */
import type { Config, Requirements } from '../../config/config.ts'

type Need = 'groups' | 'emails' | 'roles'

const keysFor: Readonly<Record<Need, readonly (keyof Requirements)[]>> = {
  groups: ['groups'],
  emails: ['emails', 'emailDomains'],
  roles: ['realmRoles', 'clientRoles'],
}

/** Whether any route that sessions open asks for it. */
export function routesNeed({ routes }: Config, need: Need): boolean {
  const asks = ({ anyOf = [], not, ...own }: Requirements): boolean =>
    keysFor[need].some((key) => key in own && own[key as keyof typeof own] !== undefined) ||
    anyOf.some(asks) ||
    (not !== undefined && asks(not))
  return routes.some(({ allow }) => typeof allow !== 'string' && asks(allow))
}
