import { isLoop } from '../../session/sign-in-marker.ts'
import { type Answer, json, redirect } from '../answer.ts'
import { attemptOf, loopAnswer } from '../loop.ts'
import { findSession, loginHref, type OwnRequest, returnToOf } from '../own-request.ts'

/** Milliseconds: a circle of redirects is this fast, a person whose tokens live for a minute is not. */
const circle = 10_000

/**
 * `GET renew?rd=…`: the hop on which a sealed session gets its new cookie. Behind an ingress an allowed answer
 * cannot set one, so a navigation passes here when the cookie has aged, and comes back.
 */
export async function renew(own: OwnRequest): Promise<Answer> {
  const { serving, site, exchange } = own
  const returnTo = returnToOf(own, own.query.get('rd'))
  if (exchange.asker !== 'navigation') {
    return json(401, { error: 'renew', message: 'open login_url in a tab', login_url: loginHref(own, returnTo) })
  }
  const found = await findSession(own)
  if (found.kind !== 'live') return redirect(loginHref(own, returnTo))
  // A browser that does not keep the new cookie would be sent here for ever.
  const attempt = attemptOf(own, circle)
  if (isLoop(attempt)) return loopAnswer(own, returnTo)
  const { store, markers } = site.sessions
  const isDue = serving.renewal.due(found.live, true) !== 'no'
  const renewed = isDue ? await serving.renewal.renew(found.live, store) : undefined
  if (renewed?.kind === 'ended')
    return redirect(loginHref(own, returnTo), { 'set-cookie': store.clear(own.credentials.cookie) })
  const cookies = renewed?.fresh ? renewed.setCookies : (found.renewal?.() ?? [])
  return redirect(returnTo.href, { 'set-cookie': [...cookies, ...markers.write(attempt)] }, 303)
}
