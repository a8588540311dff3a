/** Whether the roles that rules ask for can be in a token at all. */
import type { Config, Requirements } from '../../config/config.ts'
import { isJsonObject } from '../../core/strict-json.ts'
import type { Finding } from './finding.ts'
import type { Settings } from './keycloak-settings.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { routesNeed } from './route-needs.ts'

export async function rolesFindings(visit: ProviderVisit, settings: Settings): Promise<readonly Finding[]> {
  if (!routesNeed(visit.config, 'roles')) return []
  const { client, scopes } = settings
  const mappers = [client, ...scopes].flatMap(({ protocolMappers = [] }) => protocolMappers)
  const isLight = client.attributes?.['client.use.lightweight.access.token.enabled'] === 'true'
  const isKept = mappers.some(
    ({ protocolMapper, config = {} }) =>
      /^oidc-usermodel-(?:realm|client)-role-mapper$/.test(protocolMapper) &&
      ['lightweight.claim', 'id.token.claim', 'userinfo.token.claim'].some((name) => config[name] === 'true'),
  )
  if (isLight && !isKept) return [lightweight(visit)]
  return client.fullScopeAllowed === false ? outOfScope(visit, settings) : []
}

/** Those of the realm; Keycloak itself says which ones this client's tokens may hold. */
async function outOfScope(visit: ProviderVisit, { admin, client }: Settings): Promise<readonly Finding[]> {
  const { provider, key, config } = visit
  const scope = encodeURIComponent(provider.scopes.join(' '))
  const path = `/clients/${client.id}/evaluate-scopes/scope-mappings/${encodeURIComponent(admin.realm)}/granted?scope=${scope}`
  const granted = await admin.read(path, 'view-clients')
  if (!Array.isArray(granted)) return []
  const names = granted.filter(isJsonObject).map(({ name }) => name)
  const missing = realmRolesOf(config).filter((role) => !names.includes(role))
  if (missing.length === 0) return []
  return [
    {
      name: 'roles-not-in-tokens',
      severity: 'error',
      place: key('clientId'),
      cause: `rules ask for ${missing.join(', ')}, and “Full scope allowed” of ${provider.clientId} is off without them: no token holds them`,
      fix: 'add them under Client scopes, the dedicated scope, Scope; or turn “Full scope allowed” on there',
    },
  ]
}

export const lightweight = ({ provider, key }: Pick<ProviderVisit, 'provider' | 'key'>): Finding => ({
  name: 'roles-not-in-tokens',
  severity: 'error',
  place: key('clientId'),
  cause: `rules ask for roles, and ${provider.clientId} gets lightweight access tokens, which hold none`,
  fix: 'turn “Always use lightweight access token” of the client off (Advanced)',
})

const realmRolesOf = ({ routes }: Config): readonly string[] => [
  ...new Set(routes.flatMap(({ allow }) => (typeof allow === 'string' ? [] : rolesIn(allow)))),
]

const rolesIn = ({ realmRoles = [], anyOf = [], not }: Requirements): readonly string[] => [
  ...realmRoles,
  ...[...anyOf, ...(not === undefined ? [] : [not])].flatMap(rolesIn),
]
