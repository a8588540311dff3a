import type { BearerResult, BearerVerifier } from '../bearer/verifier.ts'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import { originOf, type Target } from '../core/target.ts'
import type { Unmet } from '../core/verdict.ts'
import { isCorsOrigin, isPreflight } from '../policy/cors.ts'
import { originProblem } from '../policy/origin.ts'
import type { CompiledRoute, Policy } from '../policy/policy.ts'
import type { FoundSession, LiveSession, Session, SessionStore, SetCookies } from '../session/session.ts'
import { type AssertionHeader, withAssertion } from './assertion.ts'
import { type Credentials, type Decision, noCookies } from './decision.ts'
import type { HeaderMaker } from './identity-headers.ts'
import { createJudge, refused } from './judge.ts'
import type { TokenEnd } from './passed-tokens.ts'
import { isRenewable, type Renewal } from './renewal.ts'

export interface Gate {
  /**
   * The whole access decision of the product. Synchronous for a session or token this process has seen
   * before: no await and no crypto on the hot path.
   * @throws GatewayError `ambiguous_path`; a 503 where the store or the provider's keys are needed and down
   */
  decide(target: Target, credentials: Credentials): Decision | Promise<Decision>
  /** What an identity still lacks for a target: asked once after a step-up, so that it never loops. */
  unmet(target: Target, identity: Identity, address: string): readonly Unmet[]
  /** A token that this route passes on has expired, and no refresh brings another: only a sign-in does. */
  needsSignIn(route: CompiledRoute, session: Session): boolean
}

export interface GateParts {
  readonly policy: Policy
  /** The store that reads the cookies of an origin; undefined where no session can exist. */
  readonly sessionsAt: (target: Target) => SessionStore | undefined
  readonly bearer: BearerVerifier
  readonly renewal: Renewal
  /** By route index. */
  readonly headers: readonly HeaderMaker[]
  /** By route index; undefined where the route passes no token on. */
  readonly tokenEnds: readonly (TokenEnd | undefined)[]
  /** Origins of publicUrl: where unsafe requests proved by a cookie may come from. */
  readonly ownOrigins: readonly string[]
  readonly clock: Clock
}

interface Question {
  readonly target: Target
  readonly credentials: Credentials
}

/** Policy first, then proof, then requirements. A fault on the way throws; it never leaves an identity behind. */
export function createGate(parts: GateParts): Gate {
  const { policy, sessionsAt, bearer, renewal, headers, tokenEnds, ownOrigins, clock } = parts
  const judge = createJudge(headers, clock)
  const anonymous = policy.routes.map((route) => anonymousDecision(route, headers))
  const preflight = anonymous.map((decision) => ({ ...decision, isPreflight: true }))

  function decide(target: Target, credentials: Credentials): Decision | Promise<Decision> {
    const asked = target.method === 'OPTIONS' ? preflightRoute(target, credentials) : undefined
    if (asked !== undefined) return preflight[asked.index]!
    const match = policy.match(target)
    if (match.kind === 'unrouted') return refused(match, undefined)
    const { route } = match
    if (route.access === 'public') return anonymous[route.index]!
    if (route.acceptsBearer && credentials.authorization !== undefined) {
      const token = bearerToken(credentials.authorization)
      // A presented token is the whole answer: a bad one is never made good by a cookie beside it.
      if (token !== undefined) return byToken(route, token, credentials)
    }
    if (!route.acceptsSession) return withoutProof(route, 'not_signed_in', noCookies)
    const sessions = sessionsAt(target)
    if (sessions === undefined) return withoutProof(route, 'not_signed_in', noCookies)
    const found = sessions.find(credentials.cookie)
    return found instanceof Promise
      ? found.then((late) => byCookie(route, late, sessions, { target, credentials }))
      : byCookie(route, found, sessions, { target, credentials })
  }

  /** A real preflight (Fetch 4.8) comes without credentials and belongs to the route of the method it announces. */
  function preflightRoute(target: Target, { origin, requestedMethod }: Credentials): CompiledRoute | undefined {
    const question = { origin, method: requestedMethod, headers: undefined }
    if (!isPreflight(target.method, question) || origin === undefined) return undefined
    const match = policy.match(target, requestedMethod)
    if (match.kind === 'unrouted' || match.route.cors === undefined) return undefined
    return isCorsOrigin(match.route.cors, origin) ? match.route : undefined
  }

  function byToken(route: CompiledRoute, token: string, credentials: Credentials): Decision | Promise<Decision> {
    const result = bearer.verify(token)
    return result instanceof Promise
      ? result.then((late) => judgeToken(route, token, late, credentials))
      : judgeToken(route, token, result, credentials)
  }

  function judgeToken(route: CompiledRoute, token: string, result: BearerResult, credentials: Credentials): Decision {
    const challenge = { kind: 'challenge', route: route.index } as const
    if (result.kind === 'invalid') {
      const { reason, detail } = result
      return refused({ ...challenge, reason, detail }, route)
    }
    const { identity, expiresAt } = result
    const tokens = { accessToken: token, accessExpiresAt: expiresAt }
    const tokenEnd = tokenEnds[route.index]
    // Our tolerance for other clocks is not the upstream's.
    if (tokenEnd !== undefined && tokenEnd(tokens) <= clock.now()) {
      return refused({ ...challenge, reason: 'token_expired', detail: 'the token has expired' }, route)
    }
    const passed = tokenEnd === undefined ? undefined : tokens
    return judge(route, { identity, tokens: passed, live: undefined, until: expiresAt }, credentials)
  }

  function byCookie(
    route: CompiledRoute,
    found: FoundSession,
    sessions: SessionStore,
    question: Question,
  ): Decision | Promise<Decision> {
    const { credentials } = question
    if (found.kind === 'none') return withoutProof(route, 'not_signed_in', noCookies)
    if (found.kind === 'refused') {
      return withoutProof(route, found.reason === 'invalid' ? 'not_signed_in' : 'session_expired', found.clear)
    }
    const { live } = found
    const due = renewal.due(live, credentials.canSetCookie, tokenEnds[route.index]?.(live.session.tokens))
    if ((found.renewal !== undefined || due === 'hop') && !credentials.canSetCookie && credentials.isNavigation) {
      return refused({ kind: 'login', route: route.index, reason: 'renew' }, route, live)
    }
    if (due === 'background') renewal.renewInBackground(live, sessions)
    if (due !== 'wait') {
      const setCookies = found.renewal !== undefined && credentials.canSetCookie ? found.renewal() : noCookies
      return judgeSession(route, live, setCookies, question)
    }
    return renewal
      .renew(live, sessions)
      .then((renewed) =>
        renewed.kind === 'ended'
          ? withoutProof(route, 'session_expired', sessions.clear(credentials.cookie))
          : judgeSession(route, renewed.live, renewed.setCookies, question),
      )
  }

  function judgeSession(
    route: CompiledRoute,
    live: LiveSession,
    setCookies: SetCookies,
    { target, credentials }: Question,
  ): Decision {
    const { identity, tokens } = live.session
    const refusal = { kind: 'forbid', route: route.index, identity, unmet: [] } as const
    const wrongOrigin = originProblem({
      method: target.method,
      isUpgrade: credentials.isUpgrade,
      origin: credentials.origin,
      secFetchSite: credentials.secFetchSite,
      // The address itself counts too: with a cookie domain it need not be one of publicUrl.
      allowedOrigins: credentials.origin === originOf(target) ? [credentials.origin] : ownOrigins,
      routeOrigins: route.origins,
    })
    if (wrongOrigin !== undefined) {
      return refused({ ...refusal, reason: 'csrf', detail: wrongOrigin }, route, live, setCookies)
    }
    if (route.provider !== undefined && route.provider !== identity.provider) {
      const detail = `this address needs a sign-in with ${route.provider}`
      return refused({ ...refusal, reason: 'other_provider', detail }, route, live, setCookies)
    }
    const tokenEnd = tokenEnds[route.index]?.(tokens)
    if (tokenEnd !== undefined && tokenEnd <= clock.now()) return withoutFreshToken(route, live)
    const decision = judge(route, { identity, tokens, live, until: undefined }, credentials)
    return setCookies.length === 0 ? decision : { ...decision, setCookies }
  }

  /** An expired token never leaves. Whether that is a fault that passes, or only a sign-in helps, differs. */
  function withoutFreshToken(route: CompiledRoute, { session }: LiveSession): Decision {
    if (needsSignIn(route, session)) return withoutProof(route, 'session_expired', noCookies)
    throw new GatewayError('provider_unreachable', `route ${route.name} passes a token on, and it could not be renewed`)
  }

  function withoutProof(
    route: CompiledRoute,
    reason: 'not_signed_in' | 'session_expired',
    setCookies: SetCookies,
  ): Decision {
    if (route.access === 'optional') return { ...anonymous[route.index]!, setCookies }
    if (!route.acceptsSession) return refused({ kind: 'challenge', route: route.index, reason: 'not_signed_in' }, route)
    const provider = route.provider === undefined ? {} : { provider: route.provider }
    const wish = { ...(route.acr && { acr: route.acr }), ...(route.maxAge !== undefined && { maxAge: route.maxAge }) }
    return refused({ kind: 'login', route: route.index, reason, ...provider, ...wish }, route, undefined, setCookies)
  }

  function unmet(target: Target, identity: Identity, address: string): readonly Unmet[] {
    const match = policy.match(target)
    return match.kind === 'unrouted' ? [] : match.route.unmet(identity, { clientAddress: address, now: clock.now() })
  }

  function needsSignIn(route: CompiledRoute, session: Session): boolean {
    const tokenEnd = tokenEnds[route.index]?.(session.tokens)
    return tokenEnd !== undefined && tokenEnd <= clock.now() && !isRenewable(session, tokenEnd)
  }

  return { decide, unmet, needsSignIn }
}

function anonymousDecision(route: CompiledRoute, headers: readonly HeaderMaker[]): Decision {
  return {
    verdict: { kind: 'allow', route: route.index, identity: undefined },
    route,
    live: undefined,
    until: undefined,
    headers: headers[route.index]!(undefined, undefined),
    setCookies: noCookies,
    isPreflight: false,
  }
}

/** The token of a Bearer header; undefined for another scheme, which is not ours to judge. Scheme without case: RFC 9110 11.1. */
function bearerToken(authorization: string): string | undefined {
  return /^bearer(?: |$)/i.test(authorization) ? authorization.slice(7).trim() : undefined
}
