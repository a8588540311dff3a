/** What a plan says beside its changes: what stays although it is not ours, and what only a person can decide. */
import type { Config, ProviderConfig, Requirements } from '../../config/config.ts'
import { type FoundClient, isHidden, postLogoutUrisOf } from './client-changes.ts'
import { bareGroups } from './group-rules.ts'
import type { MapperRepresentation } from './representations.ts'
import type { WantedClient } from './wanted-client.ts'
import { audiencesOf, sharedFault, type WantedMapper } from './wanted-mappers.ts'

interface Circumstances {
  readonly config: Config
  readonly provider: ProviderConfig
  readonly wanted: WantedClient
  readonly client: FoundClient
  readonly secret: string | undefined
}

export const remarks = (circumstances: Circumstances): string[] => [
  ...foreignUris(circumstances),
  ...backchannelElsewhere(circumstances),
  ...groupSpelling(circumstances),
  ...bearerClients(circumstances),
  ...limitedTokens(circumstances),
  ...(isHidden(circumstances.secret)
    ? ['Keycloak hides the Client Secret from this account: it was not compared']
    : []),
]

/** A wildcard sends the answer of a login to any page below it (RFC 9700 2.1). */
function foreignUris({ wanted, client }: Circumstances): string[] {
  const foreign = (found: readonly string[], ours: readonly string[]) => found.filter((uri) => !ours.includes(uri))
  const stays = (what: string) => (uri: string) => {
    const loose = uri.endsWith('*') ? ', and lets every page below it receive the answer of a login' : ''
    return `the ${what} ${uri} is not of this file and stays${loose}; remove it if nobody needs it`
  }
  const { redirectUris = [], webOrigins = [] } = client
  const postLogout = postLogoutUrisOf(client, wanted.redirectUris)
  const known = [...wanted.postLogoutRedirectUris, ...redirectUris]
  return [
    ...foreign(redirectUris, wanted.redirectUris).map(stays('redirect URI')),
    ...foreign(postLogout, known).map((uri) => `the post-logout redirect URI ${uri} is not of this file and stays`),
    ...foreign(webOrigins, [...wanted.webOrigins, '+']).map(
      (origin) => `the web origin ${origin} is not of this file and stays; remove it if nobody needs it`,
    ),
  ]
}

function backchannelElsewhere({ wanted: { backchannelLogout }, client }: Circumstances): string[] {
  const url = client.attributes?.['backchannel.logout.url']
  const isKept =
    url !== undefined && url !== backchannelLogout.url && URL.parse(url)?.pathname === backchannelLogout.path
  return isKept && !backchannelLogout.isAsked
    ? [
        `the back-channel logout URL ${url} is kept: its path is ours; where that host is not this gateway, add --backchannel-url`,
      ]
    : []
}

function groupSpelling({ config, provider }: Circumstances): string[] {
  const [bare] = bareGroups(config, provider) ?? []
  if (bare === undefined) return []
  return [
    `a rule names the group ${bare}, and Keycloak sends /${bare}: write the slash, or \`groupPaths: ignore\` at the provider`,
  ]
}

function bearerClients({ config, provider }: Circumstances): string[] {
  const audiences = audiencesOf(config, provider)
  if (audiences.length === 0) return []
  return [`API clients need an audience mapper of their own for ${audiences.join(', ')}, on their own client`]
}

function limitedTokens({ config, client }: Circumstances): string[] {
  const usesRoles = config.routes.some(({ allow }) => typeof allow !== 'string' && asksRoles(allow))
  const isLightweight = client.attributes?.['client.use.lightweight.access.token.enabled'] === 'true'
  return [
    ...(usesRoles && client.fullScopeAllowed === false
      ? ['"Full scope allowed" is off: tokens hold only the roles that are mapped to the client']
      : []),
    ...(isLightweight && usesRoles
      ? ['"Always use lightweight access token" is on: access tokens hold no roles, so rules with roles let nobody in']
      : []),
  ]
}

const asksRoles = ({ realmRoles, clientRoles, anyOf = [], not }: Requirements): boolean =>
  realmRoles !== undefined || clientRoles !== undefined || [...anyOf, ...(not ? [not] : [])].some(asksRoles)

export function byHand(seen: {
  readonly client: FoundClient
  readonly wanted: WantedClient
  readonly mappers: readonly WantedMapper[]
  readonly shared: readonly MapperRepresentation[]
  readonly unknownScopes: readonly string[]
}): string[] {
  const { client, wanted, mappers, shared, unknownScopes } = seen
  const faults = mappers.flatMap((one) => {
    const fault = sharedFault(one, shared)
    return fault === undefined
      ? []
      : [`the mapper "${fault.name}" of a client scope does not send ${one.what}; repair it`]
  })
  const keysElsewhere = wanted.key !== undefined && client.attributes?.['use.jwks.url'] === 'true'
  return [
    ...faults,
    ...unknownScopes.map((name) => `the realm has no client scope "${name}": make it, or take it out of \`scopes\``),
    ...(keysElsewhere
      ? [`Keycloak takes the client's keys from ${client.attributes?.['jwks.url']}: see that ours is among them`]
      : []),
  ]
}
