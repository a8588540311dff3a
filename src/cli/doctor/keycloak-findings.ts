/** Findings that both real tokens and the settings at Keycloak can lead to; each is worded once. */
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

export const refreshTokenMissing = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'refresh-token-missing',
  severity: 'warning',
  place: key('clientId'),
  cause: `Keycloak gives ${provider.clientId} no refresh token: nothing is renewed, and sessions end with the access token`,
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

/** As the file writes it: `90s`, `30m`, `10h`. */
export function secondsText(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}
