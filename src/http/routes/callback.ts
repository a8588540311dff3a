import { type ErrorCode, GatewayError, statusOf } from '../../core/errors.ts'
import type { Proof } from '../../core/proof.ts'
import { LoginFailure, loginFailureOf } from '../../oidc/failure.ts'
import { createSession } from '../../session/lifetimes.ts'
import type { LoginFlow } from '../../session/login-flow.ts'
import { isLoop } from '../../session/sign-in-marker.ts'
import { signedInWith } from '../account.ts'
import { type Answer, redirect, withHeaders } from '../answer.ts'
import type { CallbackFlights } from '../callback-flights.ts'
import { loopAnswer } from '../loop.ts'
import {
  findSession,
  liveSession,
  loginHref,
  type OwnRequest,
  otherAccountHref,
  pageAnswer,
  pageOf,
  returnToOf,
  sessionToEnd,
} from '../own-request.ts'
import { errorPage } from '../pages/error.ts'
import { forbiddenPage } from '../pages/forbidden.ts'
import { loginUnknownPage } from '../pages/login-unknown.ts'
import { signedInPage } from '../pages/signed-in.ts'
import { redirectUri, startLogin, targetOf } from '../sign-in.ts'

/**
 * `GET callback`: the provider sends the browser back. First whose flow it is, then the code is redeemed once, then
 * the session begins.
 *
 * @param name of the provider in the address (`callback/<name>`), where several exist
 */
export async function callback(own: OwnRequest, flights: CallbackFlights, name: string | undefined): Promise<Answer> {
  const states = own.query.getAll('state')
  const [state] = states
  if (state === undefined || states.length > 1) return unknownFlow(own, undefined)
  const { flows } = own.site.sessions
  const found = flows.read(own.credentials.cookie, state)
  if (found.kind === 'unknown') return unknownFlow(own, state)
  const { flow } = found
  if (name !== nameInCallback(own, flow)) return unknownFlow(own, state)
  if (found.kind === 'expired') return restart(own, flow)
  const flight = await flights.once(`${own.site.origin} ${state}`, () => redeem(own, flow))
  return flight.kind === 'flown' ? flight.answer : afterReplay(own, flow)
}

/**
 * Each of several providers answers at an address of its own, so that none can answer for another: the code of an
 * honest one would go to whoever began the flow (mix-up, RFC 9700 4.4.2).
 */
const nameInCallback = ({ serving }: OwnRequest, flow: LoginFlow): string | undefined =>
  serving.providers.size > 1 ? flow.provider : undefined

async function redeem(own: OwnRequest, flow: LoginFlow): Promise<Answer> {
  const { serving, query } = own
  const provider = serving.providers.get(flow.provider)
  if (provider === undefined) return restart(own, flow)
  const current = new URL(redirectUri(own, flow.provider))
  current.search = query.toString()
  // The session counts from here: a logout that the provider sends while we still ask it must end what comes of it.
  const askedAt = serving.clock.now()
  let proof: Proof
  try {
    proof = await provider.finishLogin(current, flow)
  } catch (error) {
    if (!(error instanceof LoginFailure)) serving.log.error({ err: error }, 'the callback failed')
    return loginFailed(own, flow, loginFailureOf(error))
  }
  try {
    return await begin(own, flow, proof, askedAt)
  } catch (error) {
    // The provider did its part; a session too large for its cookie, or a store that is down, has its own words.
    if (error instanceof GatewayError) failedLogin(own, flow.provider, error.code, error.message)
    throw error
  }
}

/** A new session under a new id; whatever session the browser brought along ends (session fixation, CVE-2021-41246). */
async function begin(own: OwnRequest, flow: LoginFlow, proof: Proof, askedAt: number): Promise<Answer> {
  const { serving, site, exchange } = own
  const { store, flows, markers } = site.sessions
  const before = await sessionToEnd(own)
  const session = createSession(proof, askedAt, serving.config.session)
  const created = await store.create(session)
  if (before !== undefined) await serving.endSession(site.sessions, before.session, 'replaced')
  const { requestId, address } = exchange
  serving.audit({ event: 'login', requestId, address, identity: proof.identity, sessionId: session.id })
  const cookies = [...created, ...flows.end(flow.state), ...markers.write(flow.attempt)]
  const returnTo = returnToOf(own, flow.returnTo)
  const refused = stillUnmet(own, flow, proof, returnTo)
  return withHeaders(refused ?? onward(own, returnTo), { 'set-cookie': cookies })
}

function onward(own: OwnRequest, returnTo: URL): Answer {
  if (own.site.sessions.spec.sameSite !== 'strict') return redirect(returnTo.href, {}, 303)
  return pageAnswer(own, 200, signedInPage(own.serving.config.brand, { returnTo: returnTo.href }))
}

/** The provider was asked for more and did not give it: say what is missing, never ask a second time. */
function stillUnmet(own: OwnRequest, flow: LoginFlow, { identity }: Proof, returnTo: URL): Answer | undefined {
  if (flow.acr === undefined && flow.maxAge === undefined) return undefined
  const target = targetOf(returnTo)
  const unmet = target === undefined ? [] : own.serving.gate.unmet(target, identity, own.credentials.address)
  if (unmet.length === 0) return undefined
  return pageAnswer(
    own,
    403,
    forbiddenPage(own.serving.config.brand, {
      identity,
      provider: signedInWith(own.serving.config, identity),
      unmet,
      requestId: own.exchange.requestId,
      signInAsSomeoneElse: { action: pageOf(own, 'logout'), fields: { rd: returnTo.href, next: 'login' } },
    }),
  )
}

/** No token request without the flow's own cookie: the answer may be another person's (login CSRF, CVE-2017-1000069). */
async function unknownFlow(own: OwnRequest, state: string | undefined): Promise<Answer> {
  const { serving, site, exchange } = own
  const front = returnToOf(own, undefined)
  const authentic = state === undefined ? undefined : site.sessions.flows.readState(state)
  if (authentic !== undefined && (await liveSession(own)) !== undefined) return redirect(front.href, {}, 303)
  failedLogin(own, '', 'login_unknown')
  if (authentic !== undefined && isLoop(authentic.attempt + 1)) return loopAnswer(own, front)
  // Handed on, because a browser that keeps no cookie cannot count for us.
  const again = authentic === undefined ? '' : `&again=${state}`
  const page = { signInHref: loginHref(own, front) + again, requestId: exchange.requestId }
  return pageAnswer(own, 400, loginUnknownPage(serving.config.brand, page))
}

/** Expired, yet authentic: one new start towards the same page. */
async function restart(own: OwnRequest, flow: LoginFlow): Promise<Answer> {
  const { provider, acr, maxAge } = flow
  const returnTo = returnToOf(own, flow.returnTo)
  const stepUp = { ...(acr && { acr }), ...(maxAge !== undefined && { maxAge }) }
  const known = own.serving.providers.has(provider)
  if (!known) return redirect(loginHref(own, returnTo))
  return startLogin(own, { provider, returnTo, ...stepUp, attempt: flow.attempt + 1 })
}

/** The Back button, or a link opened twice: with a session there is nothing left to do. */
async function afterReplay(own: OwnRequest, flow: LoginFlow): Promise<Answer> {
  const found = await findSession(own)
  return found.kind === 'live' ? redirect(returnToOf(own, flow.returnTo).href, {}, 303) : restart(own, flow)
}

/** The first error of the provider is what people see; a code that was refused is worth one new start. */
async function loginFailed(own: OwnRequest, flow: LoginFlow, failure: LoginFailure): Promise<Answer> {
  const { serving, site, exchange } = own
  const cookies = { 'set-cookie': site.sessions.flows.end(flow.state) }
  failedLogin(own, flow.provider, failure.error, failure.detail)
  if (failure.code === 'code_rejected' && flow.attempt === 1) return restart(own, flow)
  const { requestId } = exchange
  const said = failure.description
  const signInAt = failure.code === 'not_allowed' ? otherAccountHref : loginHref
  const signInHref = signInAt(own, returnToOf(own, flow.returnTo))
  const html = errorPage(serving.config.brand, { code: failure.error, requestId, signInHref, said })
  return pageAnswer(own, statusOf(failure.error), html, cookies)
}

function failedLogin({ serving, exchange }: OwnRequest, provider: string, reason: ErrorCode, detail?: string): void {
  const { requestId, address } = exchange
  serving.audit({
    event: 'login_failed',
    requestId,
    address,
    provider,
    reason,
    ...(detail !== undefined && { detail }),
  })
}
