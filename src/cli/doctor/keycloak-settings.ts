/** What an administrator sees at Keycloak of our client and its realm. */

import { type KeycloakAdmin, openKeycloakAdmin } from '../keycloak/admin-client.ts'
import { KeycloakAdminError } from '../keycloak/admin-error.ts'
import type { ClientRepresentation, RealmRepresentation, ScopeRepresentation } from '../keycloak/representations.ts'
import { audienceFindings } from './audience-mapper.ts'
import { clientUnknown } from './authorization.ts'
import { backchannelFindings } from './backchannel-url.ts'
import type { Finding } from './finding.ts'
import { groupsMapperMissing, refreshTokenMissing, sessionEndsEarly, tokenLifeFindings } from './keycloak-findings.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { routesNeed } from './route-needs.ts'

/** Everything that is looked at, read once. */
export interface Settings {
  readonly realm: RealmRepresentation
  readonly client: ClientRepresentation
  /** Those in the tokens of our client: default ones, and optional ones the file asks for. */
  readonly scopes: readonly ScopeRepresentation[]
  readonly admin: KeycloakAdmin
}

export async function examineSettings(visit: ProviderVisit): Promise<readonly Finding[]> {
  const { asked, provider, config, clock, signal } = visit
  if (provider.kind !== 'keycloak') return []
  const access = asked.keycloakAdmin
  if (access === undefined) return [settingsUnseen(visit, 'no administrator was named', adminHint)]
  const { adminUrl } = asked
  const { allowInsecureHttp } = config
  try {
    const admin = await openKeycloakAdmin({ provider, access, adminUrl, allowInsecureHttp, clock, signal })
    try {
      return await findingsFor(visit, admin)
    } finally {
      await admin.close()
    }
  } catch (error) {
    if (error instanceof KeycloakAdminError) return [settingsUnseen(visit, error.message, error.hint)]
    throw error
  }
}

const adminHint = 'name an account with view-realm and view-clients: --admin-user NAME or --admin-client ID'

const settingsUnseen = ({ provider, key }: ProviderVisit, why: string, fix: string): Finding => ({
  name: 'settings-unseen',
  severity: 'unseen',
  place: key('clientId'),
  cause: `${why}, so the settings of ${provider.clientId} were not looked at: mappers, lifetimes, back-channel logout`,
  fix,
})

async function findingsFor(visit: ProviderVisit, admin: KeycloakAdmin): Promise<readonly Finding[]> {
  const realm = await admin.realmRepresentation()
  const client = await admin.clientNamed(visit.provider.clientId)
  if (realm === undefined || client === undefined) return [clientUnknown(visit)]
  const settings = { realm, client, admin, scopes: await scopesInTokens(visit, admin, client) }
  const { ssoSessionIdleTimeout } = realm
  return [
    ...groupsFindings(visit, settings),
    ...(await audienceFindings(visit, settings)),
    ...(client.attributes?.['use.refresh.tokens'] === 'false' ? [refreshTokenMissing(visit)] : []),
    ...(ssoSessionIdleTimeout === undefined
      ? [settingsUnseen(visit, 'the administrator may not see the realm', adminHint)]
      : lifetimeFindings(visit, settings)),
    ...backchannelFindings(visit, client),
  ]
}

async function scopesInTokens({ provider }: ProviderVisit, admin: KeycloakAdmin, { id }: ClientRepresentation) {
  const optional = await admin.clientScopes(id, 'optional')
  return [
    ...(await admin.clientScopes(id, 'default')),
    ...optional.filter(({ name }) => provider.scopes.includes(name)),
  ]
}

const places = ['id.token.claim', 'access.token.claim', 'userinfo.token.claim']

/** Any mapper that writes the claim will do: group membership, roles under another name, a script. */
function groupsFindings(visit: ProviderVisit, { client, scopes }: Settings): readonly Finding[] {
  if (!routesNeed(visit.config, 'groups')) return []
  const mappers = [client, ...scopes].flatMap(({ protocolMappers = [] }) => protocolMappers)
  const isMapped = mappers.some(
    ({ config = {} }) =>
      // A dot in the name of a claim is written escaped.
      config['claim.name']?.replaceAll('\\.', '.') === visit.provider.groupsClaim &&
      places.some((place) => config[place] === 'true'),
  )
  return isMapped ? [] : [groupsMapperMissing(visit)]
}

function lifetimeFindings(visit: ProviderVisit, { realm, client }: Settings): readonly Finding[] {
  const { idle, lifetime } = visit.config.session
  const own = (name: string): number => Number(client.attributes?.[name] ?? 0)
  const isOffline = visit.provider.scopes.includes('offline_access')
  const tokenLife = own('access.token.lifespan') || (realm.accessTokenLifespan ?? 0)
  const idleEnd = shortest(
    isOffline ? realm.offlineSessionIdleTimeout : realm.ssoSessionIdleTimeout,
    isOffline ? own('client.offline.session.idle.timeout') : own('client.session.idle.timeout'),
    isOffline ? 0 : realm.clientSessionIdleTimeout,
  )
  const maxEnd = isOffline
    ? undefined
    : shortest(realm.ssoSessionMaxLifespan, own('client.session.max.lifespan'), realm.clientSessionMaxLifespan)
  return [
    ...(tokenLife > 0 ? tokenLifeFindings(visit, tokenLife) : []),
    ...(idleEnd !== undefined && idleEnd * 1000 < idle ? [sessionEndsEarly(visit, 'idle', idleEnd)] : []),
    ...(maxEnd !== undefined && maxEnd * 1000 < lifetime ? [sessionEndsEarly(visit, 'max', maxEnd)] : []),
  ]
}

/** 0 stands for "as the next wider one". Seconds. */
function shortest(...ends: readonly (number | undefined)[]): number | undefined {
  const written = ends.filter((end): end is number => end !== undefined && end > 0)
  return written.length === 0 ? undefined : Math.min(...written)
}
