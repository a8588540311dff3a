import { idleEndOf, promisedEndOf } from '../../session/lifetimes.ts'
import type { LiveSession } from '../../session/session.ts'
import { accountOf } from '../account.ts'
import { type Answer, json } from '../answer.ts'
import { findSession, foreignRequest, loginHref, type OwnRequest, returnToOf } from '../own-request.ts'

/** `GET session`: who am I, for the application's own page. Never a token: a script could read it. */
export async function session(own: OwnRequest): Promise<Answer> {
  const found = await findSession(own)
  if (found.kind !== 'live') return nobody(own, found.kind === 'refused' ? found.clear : [])
  const setCookies = found.renewal?.() ?? []
  return json(200, describe(own, found.live), { 'set-cookie': setCookies })
}

/** `POST session/refresh`: asks the provider now, for an application that just changed somebody's groups. */
export async function refresh(own: OwnRequest): Promise<Answer> {
  const { serving, site, credentials, exchange } = own
  const wrong = foreignRequest(own)
  if (wrong !== undefined) return json(403, { error: 'csrf', message: wrong, request_id: exchange.requestId })
  const found = await findSession(own)
  if (found.kind !== 'live') return nobody(own, found.kind === 'refused' ? found.clear : [])
  const renewed = await serving.renewal.renew(found.live, site.sessions.store)
  if (renewed.kind === 'ended') return nobody(own, site.sessions.store.clear(credentials.cookie))
  const answer = { ...describe(own, renewed.live), renewed: renewed.fresh }
  return json(200, answer, { 'set-cookie': renewed.setCookies })
}

function describe({ serving }: OwnRequest, live: LiveSession): object {
  const { identity } = live.session
  const { session: lifetimes } = serving.config
  const end = promisedEndOf(live.session, lifetimes)
  const { subject, username, email, name, groups, realmRoles, provider } = identity
  const account = accountOf(serving.config, identity)
  return {
    authenticated: true,
    subject,
    username,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    groups,
    realmRoles,
    provider,
    ...(account !== undefined && { account }),
    expiresAt: new Date(end).toISOString(),
    idleExpiresAt: new Date(Math.min(idleEndOf(live, lifetimes), end)).toISOString(),
  }
}

function nobody(own: OwnRequest, clear: readonly string[]): Answer {
  const login_url = loginHref(own, returnToOf(own, own.query.get('rd')))
  const headers = { 'set-cookie': clear, 'www-authenticate': `Session realm="doorward", login_url="${login_url}"` }
  return json(401, { authenticated: false, error: 'not_signed_in', login_url }, headers)
}
