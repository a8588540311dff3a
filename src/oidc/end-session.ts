import type { Provider } from './provider.ts'

/** Above this an address breaks proxies on the way (nginx: 8 KiB for the request line). In characters. */
const longestHint = 4096

export interface EndSessionRequest {
  readonly idToken?: string | undefined
  readonly postLogoutRedirectUri: string
  readonly state: string
}

/**
 * Where to send the browser so that the provider's session ends too (OpenID Connect RP-Initiated Logout 1.0).
 * Undefined where the provider has no such endpoint, or was never reached: our own session ends regardless.
 *
 * Without the hint Keycloak asks the person to confirm; `client_id` goes along always, so that the address to
 * return to can be checked.
 */
export function endSessionUrl(provider: Provider, request: EndSessionRequest): URL | undefined {
  const endpoint = provider.knownMetadata()?.endSessionEndpoint
  if (endpoint === undefined) return undefined
  const url = new URL(endpoint)
  url.searchParams.set('client_id', provider.config.clientId)
  url.searchParams.set('post_logout_redirect_uri', request.postLogoutRedirectUri)
  url.searchParams.set('state', request.state)
  if (request.idToken !== undefined && request.idToken.length <= longestHint) {
    url.searchParams.set('id_token_hint', request.idToken)
  }
  return url
}
