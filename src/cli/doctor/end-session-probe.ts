/** Whether people can come back after signing out (OpenID Connect RP-Initiated Logout 1.0, 2.1). */
import { endSessionUrl } from '../../oidc/end-session.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

export async function examineEndSession(visit: ProviderVisit): Promise<readonly Finding[]> {
  if (!visit.config.login.providerLogout) return []
  const found = await Promise.all(visit.uris.postLogoutRedirectUris.map((uri) => findingFor(visit, uri)))
  return found.flat()
}

/** Nobody is signed in, so nothing ends: Keycloak sends on to a registered address at once, and refuses any other. */
async function findingFor(visit: ProviderVisit, postLogoutRedirectUri: string): Promise<readonly Finding[]> {
  const { oidc, transport, provider, signal } = visit
  const url = endSessionUrl(oidc, { postLogoutRedirectUri, state: 'doorward-doctor' })
  if (url === undefined) return []
  const response = await transport.fetch(url, { headers: { accept: 'text/html', 'accept-language': 'en' }, signal })
  // Anything else is no word about the address: a page, a redirect, a fault of the moment.
  if (response.status !== 400 && response.status !== 403) return []
  return [
    {
      name: 'post-logout-uri-not-registered',
      severity: 'error',
      place: 'publicUrl',
      cause: `the client ${provider.clientId} does not list ${postLogoutRedirectUri} as a post-logout redirect URI: people are stuck on an error page after signing out`,
      fix: `add ${postLogoutRedirectUri} to its valid post logout redirect URIs, to the letter`,
    },
  ]
}
