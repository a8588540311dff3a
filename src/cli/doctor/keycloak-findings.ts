/** Findings that both real tokens and the settings at Keycloak can lead to; each is worded once. */
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

export const groupsMapperMissing = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'groups-mapper-missing',
  severity: 'error',
  place: key('groupsClaim'),
  cause: `routes ask for groups, and no token of ${provider.clientId} holds the claim “${provider.groupsClaim}”: nobody passes`,
  fix: `add a mapper “Group Membership” to the client with the token claim name ${provider.groupsClaim}, full group path on, in the ID token`,
})

export const refreshTokenMissing = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'refresh-token-missing',
  severity: 'warning',
  place: key('clientId'),
  cause: `Keycloak gives ${provider.clientId} no refresh token: claims are never renewed, and access tokens for upstreams run out`,
  fix: 'turn on “Use refresh tokens” of the client (OpenID Connect compatibility modes)',
})

/** Seconds: a refresh starts at 70 to 80 % of the life, and a failed one is tried again after ten. */
const shortestLife = 60

/** @param life seconds an access token lives */
export function tokenLifeFindings({ config, provider, key }: ProviderVisit, life: number): readonly Finding[] {
  const { refreshEvery } = config.session
  const at = { name: 'token-lifetime-short', severity: 'warning' } as const
  if (refreshEvery !== undefined && refreshEvery / 1000 >= life) {
    const cause = `session.refreshEvery is ${secondsText(refreshEvery / 1000)}, and access tokens live ${secondsText(life)}: upstreams would get expired ones`
    return [{ ...at, place: 'session.refreshEvery', cause, fix: 'remove it, or make it shorter than that' }]
  }
  // A second of the way here and rounding may be gone by now.
  if (life >= shortestLife - 2) return []
  const cause = `access tokens of ${provider.clientId} live ${secondsText(life)}: too short to try a failed refresh again before requests wait`
  const fix = `set the access token lifespan of realm or client to ${shortestLife} s or more; 5 minutes are usual`
  return [{ ...at, place: key('clientId'), cause, fix }]
}

/** @param seconds after which Keycloak ends its session, of an idle or of any person */
export function sessionEndsEarly({ config, provider }: ProviderVisit, end: 'idle' | 'max', seconds: number): Finding {
  const [ours, theirs, name] =
    end === 'idle'
      ? (['idle', 'SSO Session Idle', 'sso-idle-short'] as const)
      : (['lifetime', 'SSO Session Max', 'sso-max-short'] as const)
  const written = secondsText(config.session[ours] / 1000)
  return {
    name,
    severity: 'warning',
    place: `session.${ours}`,
    cause: `Keycloak ends sessions after ${secondsText(seconds)} (${theirs}), sooner than session.${ours}, ${written}: people are signed out early`,
    fix: `write \`session.${ours}: ${secondsText(seconds)}\`, or set ${theirs} of ${provider.issuer} to ${written} or more`,
  }
}

/** As the file writes it: `90s`, `30m`, `10h`. */
function secondsText(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}
