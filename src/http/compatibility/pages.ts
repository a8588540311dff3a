/** Pages of other products' addresses, served beside ours while somebody moves. Each is one of our own, under their name. */
import type { CompatibilityConfig } from '../../config/compatibility-config.ts'
import { type Answer, json } from '../answer.ts'
import { findSession, type OwnRequest, ownAddress } from '../own-request.ts'
import { peerOf } from '../request-reading.ts'
import { login } from '../routes/login.ts'
import { postLogout, signOutLink } from '../routes/logout.ts'

export interface CompatiblePage {
  readonly method: 'GET' | 'POST'
  /** Below `basePath`. */
  readonly path: string
  readonly serve: (own: OwnRequest) => Promise<Answer>
}

/**
 * `callback` needs no row: `basePath` is theirs, so ours is at their address, and the redirect URI is the registered
 * one. `auth` has none on purpose: on the public listener a page's script could read tokens from its headers.
 */
const pages: Readonly<Record<CompatibilityConfig['product'], readonly CompatiblePage[]>> = {
  'oauth2-proxy': [
    { method: 'GET', path: '/start', serve: start },
    { method: 'GET', path: '/sign_in', serve: (own) => login(towardsHeader(own)) },
    { method: 'GET', path: '/sign_out', serve: signOut },
    { method: 'POST', path: '/sign_out', serve: postLogout },
    { method: 'GET', path: '/userinfo', serve: userinfo },
  ],
}

export const compatiblePages = (compatibility: CompatibilityConfig | undefined): readonly CompatiblePage[] =>
  compatibility === undefined ? [] : pages[compatibility.product]

/** Goes to the provider at once, where `sign_in` may show a page first. */
function start(own: OwnRequest): Promise<Answer> {
  const towards = towardsHeader(own)
  const [only, ...more] = own.serving.providers.keys()
  if (only === undefined || more.length > 0 || towards.query.has('provider')) return login(towards)
  return login({ ...towards, query: new URLSearchParams([...towards.query, ['provider', only]]) })
}

/** Lands where `rd` says, if that is ours; theirs has no page in between. */
function signOut(own: OwnRequest): Promise<Answer> {
  return signOutLink(own, ownAddress(own, own.query.get('rd')) === undefined ? 'page' : 'back')
}

/** Who it is, in their words. Never a token: a script could read it. */
async function userinfo(own: OwnRequest): Promise<Answer> {
  const found = await findSession(own)
  if (found.kind !== 'live') {
    const clear = found.kind === 'refused' ? found.clear : []
    const headers = { 'set-cookie': clear, 'www-authenticate': 'Session realm="doorward"' }
    return json(401, { error: 'not_signed_in' }, headers)
  }
  const { subject, email, groups, username } = found.live.session.identity
  const answer = {
    user: subject,
    ...(email !== undefined && { email }),
    ...(groups.length > 0 && { groups }),
    preferredUsername: username,
  }
  return json(200, answer, { 'set-cookie': found.renewal?.() ?? [] })
}

/** nginx's `error_page` cannot add `rd`: there the proxy in front says in a header where the person was going. */
function towardsHeader(own: OwnRequest): OwnRequest {
  const { serving, exchange, query } = own
  const said = exchange.request.headers['x-auth-request-redirect']
  if (query.has('rd') || typeof said !== 'string' || !serving.trusted.has(peerOf(exchange.request))) return own
  return { ...own, query: new URLSearchParams([...query, ['rd', said]]) }
}
