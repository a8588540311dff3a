/** What an administrator sees at Keycloak of our client and its realm. */

import { type KeycloakAdmin, openKeycloakAdmin } from '../keycloak/admin-client.ts'
import { KeycloakAdminError } from '../keycloak/admin-error.ts'
import type { ClientRepresentation, RealmRepresentation, ScopeRepresentation } from '../keycloak/representations.ts'
import { audienceFindings } from './audience-mapper.ts'
import { clientUnknown } from './authorization.ts'
import { backchannelFindings } from './backchannel-url.ts'
import type { Finding } from './finding.ts'
import { groupsFindings } from './groups-mapper.ts'
import { refreshTokenMissing, tokenLifeFindings } from './keycloak-findings.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { wildcardNotes } from './redirect-uris.ts'
import { rolesFindings } from './roles-in-tokens.ts'
import { sessionEndFindings } from './session-ends.ts'

/** Everything that is looked at, read once. */
export interface Settings {
  readonly realm: RealmRepresentation
  readonly client: ClientRepresentation
  /** Those in the tokens of our client: default ones, and optional ones the file asks for. */
  readonly scopes: readonly ScopeRepresentation[]
  /** Optional ones that nobody asks for. */
  readonly unasked: readonly ScopeRepresentation[]
  readonly admin: KeycloakAdmin
}

export interface SettingsLook {
  readonly findings: readonly Finding[]
  /** What the client lists; nothing where it was not seen. */
  readonly redirectUris: readonly string[]
}

export async function examineSettings(visit: ProviderVisit): Promise<SettingsLook> {
  const { asked, provider, config, clock, signal } = visit
  if (provider.kind !== 'keycloak') return unseen([])
  const access = asked.keycloakAdmin
  if (access === undefined) return unseen([settingsUnseen(visit, 'no administrator was named', adminHint)])
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
    if (error instanceof KeycloakAdminError) return unseen([settingsUnseen(visit, error.message, error.hint)])
    throw error
  }
}

const unseen = (findings: readonly Finding[]): SettingsLook => ({ findings, redirectUris: [] })

const adminHint = 'name an account with view-realm and view-clients: --admin-user NAME or --admin-client ID'

const settingsUnseen = ({ provider, key }: ProviderVisit, why: string, fix: string): Finding => ({
  name: 'settings-unseen',
  severity: 'unseen',
  place: key('clientId'),
  cause: `${why}, so the settings of ${provider.clientId} were not looked at: mappers, lifetimes, back-channel logout`,
  fix,
})

async function findingsFor(visit: ProviderVisit, admin: KeycloakAdmin): Promise<SettingsLook> {
  const realm = await admin.realmRepresentation()
  const client = await admin.clientNamed(visit.provider.clientId)
  if (realm === undefined || client === undefined) return unseen([clientUnknown(visit)])
  const settings = { realm, client, admin, ...(await scopesOf(visit, admin, client)) }
  const { ssoSessionIdleTimeout } = realm
  const findings = [
    ...groupsFindings(visit, settings),
    ...(await rolesFindings(visit, settings)),
    ...(await audienceFindings(visit, settings)),
    ...(client.attributes?.['use.refresh.tokens'] === 'false' ? [refreshTokenMissing(visit)] : []),
    ...(ssoSessionIdleTimeout === undefined
      ? [settingsUnseen(visit, 'the administrator may not see the realm', adminHint)]
      : lifetimeFindings(visit, settings)),
    ...backchannelFindings(visit, client),
    ...wildcardNotes(visit, client),
  ]
  return { findings, redirectUris: client.redirectUris ?? [] }
}

/** Asked of the realm: the list of a client's own scopes comes without their mappers. */
async function scopesOf({ provider }: ProviderVisit, admin: KeycloakAdmin, client: ClientRepresentation) {
  const { defaultClientScopes = [], optionalClientScopes = [] } = client
  const all = await admin.scopes()
  const isAsked = ({ name }: ScopeRepresentation) =>
    defaultClientScopes.includes(name) || (optionalClientScopes.includes(name) && provider.scopes.includes(name))
  return {
    scopes: all.filter(isAsked),
    unasked: all.filter((scope) => optionalClientScopes.includes(scope.name) && !isAsked(scope)),
  }
}

function lifetimeFindings(visit: ProviderVisit, { realm, client }: Settings): readonly Finding[] {
  const own = (name: string): number => Number(client.attributes?.[name] ?? 0)
  const isOffline = visit.provider.scopes.includes('offline_access')
  const tokenLife = own('access.token.lifespan') || (realm.accessTokenLifespan ?? 0)
  const idle = shortest(
    isOffline ? realm.offlineSessionIdleTimeout : realm.ssoSessionIdleTimeout,
    isOffline ? own('client.offline.session.idle.timeout') : own('client.session.idle.timeout'),
    isOffline ? 0 : realm.clientSessionIdleTimeout,
  )
  const max = isOffline
    ? undefined
    : shortest(realm.ssoSessionMaxLifespan, own('client.session.max.lifespan'), realm.clientSessionMaxLifespan)
  return [
    ...(tokenLife > 0 ? tokenLifeFindings(visit, tokenLife) : []),
    ...sessionEndFindings(visit, { idle, max, tokenLife }),
  ]
}

/** 0 stands for "as the next wider one". Seconds. */
function shortest(...ends: readonly (number | undefined)[]): number | undefined {
  const written = ends.filter((end): end is number => end !== undefined && end > 0)
  return written.length === 0 ? undefined : Math.min(...written)
}
