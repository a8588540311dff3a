import type { ProviderVisit } from './provider-visit.ts'

/** The realms of a Keycloak, for an administrator alone; undefined where none was named, or may not see them. */
export async function realmNames(_visit: ProviderVisit): Promise<readonly string[] | undefined> {
  return undefined
}
