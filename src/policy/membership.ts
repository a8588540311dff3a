/** Requirements that are met by being in a list: groups, roles, scopes, e-mail addresses and their domains. */
import type { ClientRole } from '../config/config.ts'
import { foldNarrowly } from './case.ts'
import { type Check, choice, listed } from './check.ts'

const nothing = 'none'

/**
 * Exact names, or `/prefix/*` for a group and all below it (as with paths, `/staff/*` holds `/staff`). Names
 * that look like paths compare without case, as Keycloak users type them; others to the letter.
 */
export function groupsCheck(rules: readonly string[]): Check {
  const exact = new Set(rules.filter((rule) => !rule.endsWith('/*')).map(foldGroup))
  const prefixes = rules.filter((rule) => rule.endsWith('/*')).map((rule) => foldNarrowly(rule.slice(0, -1)))
  const holds = (group: string): boolean => {
    const folded = foldGroup(group)
    return exact.has(folded) || prefixes.some((prefix) => `${folded}/`.startsWith(prefix))
  }
  return {
    unmet: { requirement: 'groups', wanted: choice('be a member of', 'be a member of one of', rules) },
    rule: rules.join(', '),
    dependsOn: 'person',
    judge: ({ groups }) => groups.some(holds),
    seen: ({ groups }) => groups.join(', ') || nothing,
  }
}

const foldGroup = (group: string): string => (group.includes('/') ? foldNarrowly(group) : group)

export function realmRolesCheck(rules: readonly string[]): Check {
  const wanted = new Set(rules)
  return {
    unmet: { requirement: 'realmRoles', wanted: choice('have the realm role', 'have one of the realm roles', rules) },
    rule: rules.join(', '),
    dependsOn: 'person',
    judge: ({ realmRoles }) => realmRoles.some((role) => wanted.has(role)),
    seen: ({ realmRoles }) => realmRoles.join(', ') || nothing,
  }
}

export function clientRolesCheck(rules: readonly ClientRole[]): Check {
  const names = rules.map(({ client, role }) => `${client}:${role}`)
  return {
    unmet: {
      requirement: 'clientRoles',
      wanted: choice('have the client role', 'have one of the client roles', names),
    },
    rule: names.join(', '),
    dependsOn: 'person',
    judge: ({ clientRoles }) => rules.some(({ client, role }) => rolesOf(clientRoles, client).includes(role)),
    seen: ({ clientRoles }) =>
      Object.entries(clientRoles)
        .flatMap(([client, roles]) => roles.map((role) => `${client}:${role}`))
        .join(', ') || nothing,
  }
}

/** Own members alone: a client called `constructor` has no roles by birth. */
const rolesOf = (roles: Readonly<Record<string, readonly string[]>>, client: string): readonly string[] =>
  Object.hasOwn(roles, client) ? roles[client]! : []

export function scopesCheck(rules: readonly string[]): Check {
  const wanted = new Set(rules)
  return {
    unmet: {
      requirement: 'scopes',
      wanted: choice('bring a token with the scope', 'bring a token with one of the scopes', rules),
    },
    rule: rules.join(', '),
    dependsOn: 'person',
    judge: ({ scopes }) => scopes.some((scope) => wanted.has(scope)),
    seen: ({ scopes }) => scopes.join(' ') || nothing,
  }
}

/** The list stays out of the sentence: whoever is refused learns nobody's address. */
export function emailsCheck(rules: readonly string[]): Check {
  const wanted = new Set(rules.map(foldNarrowly))
  return {
    unmet: { requirement: 'emails', wanted: 'have a verified e-mail address that is on the list of this site' },
    rule: listed(rules),
    dependsOn: 'person',
    judge: ({ email }) => (isAddress(email) ? wanted.has(foldNarrowly(email)) : undefined),
    seen: ({ email }) => email ?? 'no verified e-mail address',
  }
}

const address = 'have a verified e-mail address'

/** The exact domain; a subdomain is another domain (pass it in the list, if it is meant). */
export function emailDomainsCheck(rules: readonly string[]): Check {
  const wanted = new Set(rules.map(foldNarrowly))
  return {
    unmet: { requirement: 'emailDomains', wanted: choice(`${address} at`, `${address} at one of`, rules) },
    rule: rules.join(', '),
    dependsOn: 'person',
    judge: ({ email }) =>
      isAddress(email) ? wanted.has(foldNarrowly(email.slice(email.indexOf('@') + 1))) : undefined,
    seen: ({ email }) => email ?? 'no verified e-mail address',
  }
}

/** Exactly one `@`: with two, readers disagree about the domain (`a@evil.example@example.com`, CVE-2026-7504). */
const isAddress = (email: string | undefined): email is string => email !== undefined && /^[^\s@]+@[^\s@]+$/.test(email)
