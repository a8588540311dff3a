/** Whether Keycloak tells us of logouts (OpenID Connect Back-Channel Logout 1.0, 2.2). */
import { isIP } from 'node:net'
import type { ClientRepresentation } from '../keycloak/representations.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

export function backchannelFindings(
  visit: ProviderVisit,
  { attributes = {}, frontchannelLogout }: ClientRepresentation,
): readonly Finding[] {
  const { uris, provider, key } = visit
  const at = { severity: 'warning', place: key('clientId') } as const
  const ours = uris.backchannelLogoutUri
  const written = attributes['backchannel.logout.url'] ?? ''
  if (written === '') {
    const cause = `the client ${provider.clientId} has no back-channel logout URL: who is signed out at Keycloak stays signed in here until the next renewal`
    return [{ ...at, name: 'backchannel-logout-missing', cause, fix: `set its backchannel logout URL to ${ours}` }]
  }
  if (frontchannelLogout === true) {
    const cause = `front-channel logout is on for ${provider.clientId}, so Keycloak leaves it to browsers to tell of logouts`
    return [{ ...at, name: 'backchannel-logout-missing', cause, fix: 'turn “Front channel logout” off for the client' }]
  }
  if (leadsHere(visit, written)) return []
  const cause = `the back-channel logout URL of ${provider.clientId} is ${written}, which is not ours`
  return [
    {
      ...at,
      name: 'backchannel-logout-other-url',
      cause,
      fix: `set it to ${ours}, or to the same path at a name Keycloak reaches this gateway by`,
    },
  ]
}

/** Our path, at a name of ours or at one that only a network of its own knows, such as a cluster's service. */
function leadsHere({ uris, config }: ProviderVisit, written: string): boolean {
  const url = URL.parse(written)
  if (url === null || url.pathname !== new URL(uris.backchannelLogoutUri).pathname) return false
  return config.publicUrls.some(({ host }) => host === url.host) || isInside(url.hostname)
}

const isInside = (host: string): boolean =>
  !host.includes('.') || isIP(host) !== 0 || /\.(?:svc|svc\..+|local|internal|lan|localhost)$/.test(host)
