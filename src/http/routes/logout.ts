import type { LiveSession } from '../../session/session.ts'
import { type Answer, json, redirect } from '../answer.ts'
import {
  foreignRequest,
  loginHref,
  type OwnRequest,
  otherAccountHref,
  pageAnswer,
  pageOf,
  returnToOf,
  sessionToEnd,
} from '../own-request.ts'
import { signOutConfirmPage } from '../pages/sign-out-confirm.ts'
import { signedOutPage } from '../pages/signed-out.ts'
import { type AfterSignOut, afterSignOut } from '../signed-out-state.ts'

/** `POST logout`: a form or script of our own origins. Another site's must not end a session (CSRF). */
export async function postLogout(own: OwnRequest): Promise<Answer> {
  const wrong = foreignRequest(own)
  if (wrong !== undefined) return json(403, { error: 'csrf', message: wrong, request_id: own.exchange.requestId })
  const next = afterSignOut(own.form.get('next'))
  return endSession(own, returnToOf(own, own.form.get('rd') ?? own.query.get('rd')), next)
}

/** `GET logout`, and the links of other products that mean it. */
export const getLogout = (own: OwnRequest): Promise<Answer> => signOutLink(own, 'page')

/** At once where the browser says the link was ours or typed in; otherwise asked first. */
export async function signOutLink(own: OwnRequest, next: AfterSignOut): Promise<Answer> {
  const returnTo = returnToOf(own, own.query.get('rd'))
  const site = own.credentials.secFetchSite
  // A picture or a prefetch of our own origin is a request nobody made.
  const isOurs = own.exchange.asker === 'navigation' && (site === 'same-origin' || site === 'none')
  const live = await sessionToEnd(own)
  if (isOurs || live === undefined) return endSession(own, returnTo, next)
  const page = signOutConfirmPage(own.serving.config.brand, {
    username: live.session.identity.username,
    signOut: { action: pageOf(own, 'logout'), fields: { rd: returnTo.href, ...(next !== 'page' && { next }) } },
    stayHref: returnTo.href,
  })
  return pageAnswer(own, 200, page)
}

/** Our session ends first and whatever happens; then the browser goes to end the provider's. */
async function endSession(own: OwnRequest, returnTo: URL, next: AfterSignOut): Promise<Answer> {
  const { serving, site, exchange, credentials } = own
  const live = await sessionToEnd(own)
  const cookies = [...site.sessions.store.clear(credentials.cookie), ...site.sessions.markers.clear()]
  if (live !== undefined) {
    const { requestId, address } = exchange
    const { identity, id } = live.session
    await serving.endSession(site.sessions, live.session, 'logout')
    serving.audit({ event: 'logout', requestId, address, identity, sessionId: id, by: 'person' })
  }
  const stateFor = (through: string, goesOnAt = '') =>
    serving.signedOutStates.write(site.origin, { returnTo: returnTo.href, next, through, goesOnAt })
  const onward = live && serving.config.login.providerLogout ? providerLogout(own, live, stateFor) : undefined
  const local = `${pageOf(own, 'signed-out')}?state=${stateFor('', live?.session.identity.provider)}`
  return redirect(onward?.href ?? local, { 'set-cookie': cookies }, 303)
}

/** RP-initiated logout. Undefined where the provider has no such endpoint or was never reached. */
function providerLogout(
  own: OwnRequest,
  { session }: LiveSession,
  stateFor: (through: string) => string,
): URL | undefined {
  const { provider: name } = session.identity
  const provider = own.serving.providers.get(name)
  if (provider === undefined) return undefined
  const postLogoutRedirectUri = pageOf(own, 'signed-out')
  return provider.endSessionUrl({ idToken: session.tokens.idToken, postLogoutRedirectUri, state: stateFor(name) })
}

/**
 * `GET signed-out`: where logout ends. It signs nobody in by itself, or "sign out" would mean nothing at a provider
 * that still knows the browser; `afterLogout: resume` and "sign in as someone else" ask for exactly that.
 */
export async function signedOut(own: OwnRequest): Promise<Answer> {
  const { serving, site, query } = own
  const state = query.get('state')
  const wish = state === null ? undefined : serving.signedOutStates.read(site.origin, state)
  const returnTo = returnToOf(own, wish?.returnTo)
  const live = await sessionToEnd(own)
  if (live === undefined && wish?.next === 'back') return redirect(returnTo.href, {}, 303)
  const resumes = wish !== undefined && (wish.next === 'login' || serving.config.login.afterLogout === 'resume')
  if (live === undefined && resumes) {
    // The provider still knows the browser and would sign the same person in again.
    const isSomeoneElse = wish.next === 'login' && wish.goesOnAt !== ''
    return redirect(isSomeoneElse ? otherAccountHref(own, returnTo) : loginHref(own, returnTo))
  }
  const { brand, login, providers } = serving.config
  const labelled = (wanted: string | undefined) => providers.find(({ name }) => name === wanted)?.label
  const ended = labelled(wish?.through)
  const remains = labelled(wish?.goesOnAt) ?? (login.providerLogout ? undefined : providers[0]?.label)
  const page = { alsoSignedOutAt: ended, stillSignedInAt: remains, signInHref: loginHref(own, returnTo) }
  return pageAnswer(own, 200, signedOutPage(brand, page))
}
