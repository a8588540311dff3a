import { GatewayError } from '../core/errors.ts'
import { normaliseHost, readPath, type Target } from '../core/target.ts'
import type { StepUp } from '../policy/policy.ts'
import type { LiveSession } from '../session/session.ts'
import { isLoop } from '../session/sign-in-marker.ts'
import { type Answer, redirect } from './answer.ts'
import { attemptOf, loopAnswer } from './loop.ts'
import { type OwnRequest, pageOf } from './own-request.ts'

/** What the page a person wants asks of their sign-in. */
export interface Wish extends StepUp {
  /** Named provider, where the route needs one. */
  readonly provider?: string | undefined
  /** The live session is enough, or no sign-in would make it so: there is nothing to ask the provider for. */
  readonly isMet: boolean
}

/** Read from the policy, not from the link, so that nobody can ask for less. */
export function wishFor({ serving, credentials }: OwnRequest, returnTo: URL, live: LiveSession | undefined): Wish {
  const target = targetOf(returnTo)
  const match = target && matchOf(serving.policy, target)
  if (match === undefined || match.kind === 'unrouted') return { isMet: live !== undefined }
  const { route } = match
  const { provider, acr, maxAge } = route
  const plain = { provider, ...(acr && { acr }), ...(maxAge !== undefined && { maxAge }) }
  if (live === undefined) return { ...plain, isMet: false }
  const { identity } = live.session
  if (provider !== undefined && provider !== identity.provider) return { ...plain, isMet: false }
  if (serving.gate.needsSignIn(route, live.session)) return { ...plain, isMet: false }
  const context = { clientAddress: credentials.address, now: serving.clock.now() }
  if (route.unmet(identity, context).length === 0) return { isMet: true }
  const stepUp = route.stepUp(identity, context)
  return stepUp === undefined ? { isMet: true } : { provider: identity.provider, ...stepUp, isMet: false }
}

/** The address as the gate will see it; undefined where it will be refused anyway. */
export function targetOf(url: URL): Target | undefined {
  const scheme = url.protocol === 'http:' ? 'http' : 'https'
  const host = normaliseHost(url.host, scheme)
  try {
    return host === undefined ? undefined : { method: 'GET', scheme, host, ...readPath(url.pathname + url.search) }
  } catch {
    return undefined
  }
}

function matchOf(policy: OwnRequest['serving']['policy'], target: Target) {
  try {
    return policy.match(target)
  } catch {
    return undefined
  }
}

export interface SignIn extends StepUp {
  readonly provider: string
  readonly returnTo: URL
  /** Of the login link; the provider's allow-list decides which go along. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Instead of the file's. */
  readonly prompt?: string
  /** Instead of counting: the flow that failed, plus one. */
  readonly attempt?: number
}

/** Opens a flow and sends the browser to the provider, unless that has not helped several times in a row. */
export async function startLogin(own: OwnRequest, signIn: SignIn): Promise<Answer> {
  const { serving, site, credentials } = own
  const { provider: name, returnTo, acr, maxAge, prompt, parameters } = signIn
  const provider = serving.providers.get(name)
  if (provider === undefined) throw new GatewayError('not_found', `no provider is called ${name}`)
  const attempt = signIn.attempt ?? attemptOf(own)
  if (isLoop(attempt)) return loopAnswer(own, returnTo)
  const stepUp = { ...(acr && { acr }), ...(maxAge !== undefined && { maxAge }) }
  const request = { returnTo: returnTo.href, provider: name, attempt, ...stepUp }
  const { flow, setCookies } = site.sessions.flows.begin(credentials.cookie, request)
  const address = await provider.beginLogin({
    redirectUri: redirectUri(own, name),
    state: flow.state,
    nonce: flow.nonce,
    codeVerifier: flow.codeVerifier,
    ...stepUp,
    ...(prompt !== undefined && { prompt }),
    ...(parameters && { parameters }),
  })
  return redirect(address.href, { 'set-cookie': setCookies })
}

/** Exactly what has to be registered: from the file, never from a request (RFC 9700 2.1). */
export function redirectUri(own: OwnRequest, provider: string): string {
  return pageOf(own, own.serving.providers.size > 1 ? `callback/${provider}` : 'callback')
}
