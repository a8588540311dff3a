import { openKeycloakAdmin } from '../keycloak/admin-client.ts'
import { KeycloakAdminError } from '../keycloak/admin-error.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** The realms of a Keycloak, for an administrator alone; undefined where none was named, or may not see them. */
export async function realmNames(visit: ProviderVisit): Promise<readonly string[] | undefined> {
  const { asked, provider, config, clock, signal } = visit
  const { keycloakAdmin: access, adminUrl } = asked
  if (access === undefined) return undefined
  const { allowInsecureHttp } = config
  try {
    const admin = await openKeycloakAdmin({ provider, access, adminUrl, allowInsecureHttp, clock, signal })
    const names = await admin.realmNames().finally(() => admin.close())
    return names.length === 0 ? undefined : names
  } catch (error) {
    // That they cannot be listed is told with the settings; here a name would only have been a help.
    if (error instanceof KeycloakAdminError) return undefined
    throw error
  }
}
