/** GitHub: what it tells of an OAuth app without a person, which is whether it believes that we are the app. */

import { ProviderUnreachable } from '../../issuer/transport.ts'
import { LoginFailure } from '../../oidc/failure.ts'
import { gitHubEndpoints } from '../../oidc/github/endpoints.ts'
import { askForTokens } from '../../oidc/github/tokens.ts'
import { clientOrSecretWrong } from './client-proof.ts'
import type { Finding } from './finding.ts'
import { type ProviderVisit, placeOf } from './provider-visit.ts'
import { wireFinding } from './provider-wire.ts'

export async function examineGitHub(visit: ProviderVisit): Promise<readonly Finding[]> {
  const { token, api } = gitHubEndpoints(visit.provider.issuer)
  const [client, way] = await Promise.all([examineClient(visit, token), examineWay(visit, new URL(api))])
  const findings = [...client, ...way.filter(({ place }) => client.every((one) => one.place !== place))]
  return [...findings, unseen(visit)]
}

/** A code that cannot be valid: GitHub says so to an app it knows, and `incorrect_client_credentials` to others. */
async function examineClient(visit: ProviderVisit, endpoint: URL): Promise<readonly Finding[]> {
  const { provider: config, transport, clock, uris } = visit
  const grant = { code: 'doorward-doctor-asks-who-it-is', redirect_uri: uris.redirectUris[0]! }
  try {
    await askForTokens({ config, transport, endpoint, now: clock.now() }, grant)
    return []
  } catch (error) {
    if (error instanceof ProviderUnreachable) return [await wireFinding(visit, endpoint, error)]
    if (!(error instanceof LoginFailure)) throw error
    return error.code === 'client_rejected' ? [clientOrSecretWrong(visit)] : []
  }
}

/** Who somebody is, is asked at another host than the sign-in. */
async function examineWay(visit: ProviderVisit, api: URL): Promise<readonly Finding[]> {
  try {
    const response = await visit.transport.fetch(api, { headers: { 'user-agent': 'doorward' }, signal: visit.signal })
    await response.body?.cancel()
    return []
  } catch (error) {
    if (error instanceof ProviderUnreachable) return [await wireFinding(visit, api, error)]
    throw error
  }
}

const unseen = ({ provider }: ProviderVisit): Finding => ({
  name: 'client-unseen',
  severity: 'unseen',
  place: placeOf(provider),
  cause: 'GitHub tells nobody which callback addresses and permissions an app has, so they were not looked at',
  fix: 'sign in with a browser; where that fails, the log tells why',
})
