/** Whether any client of the realm gets tokens with the audience that `bearer:` expects. */
import { z } from 'zod'
import type { BearerConfig } from '../../config/bearer-config.ts'
import type { KeycloakAdmin } from '../keycloak/admin-client.ts'
import { judgeAudience } from '../keycloak/mapper-judges.ts'
import { clientSchema, type ScopeRepresentation } from '../keycloak/representations.ts'
import type { Finding } from './finding.ts'
import type { Settings } from './keycloak-settings.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** Entries of the file about this realm whose audience nobody puts into a token. */
export async function audienceFindings(visit: ProviderVisit, settings: Settings): Promise<readonly Finding[]> {
  const { config, provider } = visit
  const entries = config.bearer
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => entry.issuer === provider.issuer)
  if (entries.length === 0) return []
  const { admin } = settings
  const scopes = await admin.scopes()
  const clients = z.array(clientSchema).parse((await admin.read('/clients', 'view-clients')) ?? [])
  const checked = await Promise.all(
    entries.map(async ({ entry, index }) => {
      const callers = clients.filter(({ clientId }) => entry.clients.length === 0 || entry.clients.includes(clientId))
      const isThere =
        callers.some((client) => reaches(entry, client, scopes)) || (await isResolved(entry, clients, admin))
      return isThere ? [] : [missing(entry, index)]
    }),
  )
  return checked.flat()
}

type Client = z.infer<typeof clientSchema>

/** The scope `roles` puts every client into `aud` that the person has a role of. */
async function isResolved({ audience }: BearerConfig, clients: readonly Client[], admin: KeycloakAdmin) {
  const named = clients.filter(({ clientId }) => audience.includes(clientId))
  const roles = await Promise.all(named.map(({ id }) => admin.read(`/clients/${id}/roles`, 'view-clients')))
  return roles.some((list) => Array.isArray(list) && list.length > 0)
}

function reaches({ audience }: BearerConfig, client: Client, scopes: readonly ScopeRepresentation[]): boolean {
  const names = [...(client.defaultClientScopes ?? []), ...(client.optionalClientScopes ?? [])]
  const own = scopes.filter(({ name }) => names.includes(name))
  const mappers = [client, ...own].flatMap(({ protocolMappers = [] }) => protocolMappers)
  return mappers.some((mapper) => audience.some((one) => judgeAudience(mapper, one) === 'does'))
}

function missing({ audience, clients }: BearerConfig, index: number): Finding {
  const wanted = audience.join(' or ')
  const callers = clients.length === 0 ? 'no client of the realm' : `none of ${clients.join(', ')}`
  return {
    name: 'audience-mapper-missing',
    severity: 'error',
    place: `bearer[${index}].audience`,
    cause: `${callers} gets access tokens for the audience ${wanted}: every bearer token is refused`,
    fix: `add a mapper “Audience” with ${wanted} to the client that calls the API, for access tokens`,
  }
}
