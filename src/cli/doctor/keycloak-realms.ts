import { isJsonObject } from '../../core/strict-json.ts'
import { internalAddress } from '../../issuer/internal-url.ts'
import { openTransport } from '../../issuer/transport.ts'
import { callAdmin } from '../keycloak/admin-call.ts'
import { createAdminToken } from '../keycloak/admin-token.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** The realms of a Keycloak, for an administrator alone; undefined where none was named, or may not see them. */
export async function realmNames(visit: ProviderVisit): Promise<readonly string[] | undefined> {
  const { asked, provider, config, clock, signal } = visit
  if (asked.keycloakAdmin === undefined) return undefined
  const issuer = new URL(provider.issuer)
  const seenFromHere = internalAddress(issuer, issuer, provider.internalUrl).href.replace(/\/realms\/.*$/, '')
  const base = (asked.adminUrl?.href ?? seenFromHere).replace(/\/+$/, '')
  const internalUrl = asked.adminUrl === undefined && provider.internalUrl === undefined ? undefined : new URL(base)
  const { caFile, timeout } = provider
  const transport = openTransport({
    issuer: base,
    internalUrl,
    caFile,
    timeout,
    allowInsecureHttp: config.allowInsecureHttp,
  })
  try {
    const token = createAdminToken(asked.keycloakAdmin, { base, transport, clock, signal })
    const path = '/realms?briefRepresentation=true'
    const answer = await callAdmin({ base, transport, token, signal }, { method: 'GET', path, role: 'view-realm' })
    const realms = Array.isArray(answer?.body) ? answer.body : []
    return realms.filter(isJsonObject).flatMap(({ realm }) => (typeof realm === 'string' ? [realm] : []))
  } catch {
    // That they cannot be listed is told with the settings; here a name would only have been a help.
    return undefined
  } finally {
    await transport.close()
  }
}
