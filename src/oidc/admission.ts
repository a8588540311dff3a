/** Who may sign in at all: for providers where the whole world has an account. */
import type { ProviderConfig } from '../config/config.ts'
import type { Identity } from '../core/identity.ts'
import { LoginFailure } from './failure.ts'

/**
 * Refuses people whom the file's `allowedOrgs` and `allowedEmails` do not name; meeting either is enough. Asked at
 * the login and at every renewal, so that leaving an organisation ends the session.
 *
 * @param missing what the provider kept to itself, for the page: an empty list where nothing is known to be missing
 * @throws LoginFailure `not_allowed`
 */
export function refuseUninvited(
  { allowedOrgs, allowedEmails }: Pick<ProviderConfig, 'allowedOrgs' | 'allowedEmails'>,
  { username, email, groups }: Identity,
  missing: readonly string[] = [],
): void {
  if (allowedOrgs === undefined && allowedEmails === undefined) return
  const orgs = new Set(groups.map((group) => group.toLowerCase()))
  if (allowedOrgs?.some((org) => orgs.has(org.toLowerCase()))) return
  if (email !== undefined && allowedEmails?.includes(email.toLowerCase())) return
  const lists = [allowedOrgs && 'allowedOrgs', allowedEmails && 'allowedEmails'].filter(Boolean).join(' nor of ')
  const detail = `${username} is not one of ${lists}${missing.map((what) => `; ${what}`).join('')}`
  throw new LoginFailure('not_allowed', 'not_allowed', detail, missing.length > 0 ? { description: missing[0]! } : {})
}
