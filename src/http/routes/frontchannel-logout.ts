import { GatewayError } from '../../core/errors.ts'
import type { Answer } from '../answer.ts'
import { type OwnRequest, sessionToEnd } from '../own-request.ts'
import { pageHeaders } from '../pages/headers.ts'
import { providerSignedOutPage } from '../pages/provider-signed-out.ts'

/**
 * `GET frontchannel-logout?iss=…&sid=…`: the provider's sign-out page shows us in a frame (OpenID Connect
 * Front-Channel Logout 1.0). Nobody has proved anything, so it ends the session of this very browser where the two
 * values fit it, and nothing at the provider. Browsers that keep the cookie back in frames make it do nothing:
 * back-channel logout is the one to rely on.
 */
export async function frontchannelLogout(own: OwnRequest): Promise<Answer> {
  const { serving, site, exchange, query } = own
  const { requestId, address } = exchange
  const [issuer, sid] = [theOne(query, 'iss'), theOne(query, 'sid')]
  const provider = Array.from(serving.providers.values()).find(({ config }) => config.issuer === issuer)
  if (provider === undefined) throw new GatewayError('bad_request', 'front-channel logout: iss is no provider of ours')

  const live = await sessionToEnd(own)
  const isIts = live !== undefined && live.session.identity.issuer === issuer && live.session.sid === sid
  if (isIts) {
    const { identity, id } = live.session
    await serving.endSession(site.sessions, live.session, 'logout')
    serving.audit({ event: 'logout', requestId, address, identity, sessionId: id, by: 'provider' })
  }
  const cookies = isIts ? site.sessions.store.clear(own.credentials.cookie) : []
  const framedBy = [new URL(issuer).origin, provider.endSessionOrigin()].filter((origin) => origin !== undefined)
  const { brand } = serving.config
  const headers = pageHeaders({ brand, scheme: site.scheme, framedBy: [...new Set(framedBy)] })
  return { status: 200, headers: { ...headers, 'set-cookie': cookies }, body: providerSignedOutPage(brand).toString() }
}

/** Both are asked for: without them any page could sign people out with a picture. */
function theOne(query: URLSearchParams, name: 'iss' | 'sid'): string {
  const [value, ...more] = query.getAll(name)
  if (value === undefined || value === '' || more.length > 0) {
    throw new GatewayError('bad_request', `front-channel logout: ${name} has to come once; turn on "session required"`)
  }
  return value
}
