import type { BearerResult, BearerVerifier, TokenSource } from '../bearer/verifier.ts'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import { originOf, type Target } from '../core/target.ts'
import type { Forbid, Unmet } from '../core/verdict.ts'
import { isCorsOrigin, isPreflight } from '../policy/cors.ts'
import { originProblem } from '../policy/origin.ts'
import type { CompiledRoute, Policy } from '../policy/policy.ts'
import type { FoundSession, LiveSession, Session, SessionStore, SetCookies } from '../session/session.ts'
import { type AssertionHeader, withAssertion } from './assertion.ts'
import { type Credentials, type Decision, noCookies } from './decision.ts'
import type { HeaderMaker, IdentityHeaders } from './identity-headers.ts'
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
  /** Undefined where the file does not ask for signed statements. */
  readonly assertion: AssertionHeader | undefined
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
  const { sources } = parts.bearer
  const { policy, sessionsAt, bearer, renewal, headers, assertion, tokenEnds, ownOrigins, clock } = parts
  const nobody = (make: HeaderMaker): IdentityHeaders => {
    const made = make(undefined, undefined)
    return assertion === undefined ? made : withAssertion(made, assertion.name, '')
  }
  const judge = createJudge(headers, assertion, clock)
  const anonymous = policy.routes.map((route) => anonymousDecision(route, nobody(headers[route.index]!)))
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
    const source = route.provider === undefined ? sources.find(({ header }) => credentials.header(header)) : undefined
    if (source !== undefined) return bySource(route, source, { target, credentials })
    const sessions = sessionsAt(target)
    if (sessions === undefined) return withoutSessions(route)
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

  /** A gateway in front has proved who it is: that is the whole answer too, and no cookie mends it. */
  function bySource(route: CompiledRoute, source: TokenSource, question: Question): Decision | Promise<Decision> {
    const result = source.verify(question.credentials.header(source.header) ?? '')
    return result instanceof Promise
      ? result.then((late) => judgeSource(route, source, late, question))
      : judgeSource(route, source, result, question)
  }

  function judgeSource(
    route: CompiledRoute,
    { header }: TokenSource,
    result: BearerResult,
    { target, credentials }: Question,
  ): Decision {
    if (result.kind === 'invalid') {
      const { reason } = result
      const detail = `${header}: ${result.detail}`
      return refused({ kind: 'challenge', route: route.index, reason, detail, header }, route)
    }
    const { identity, expiresAt } = result
    // The gateway adds it to whatever a browser sends, other sites' forms included: as little consent as a cookie.
    const wrongOrigin = wrongOriginOf(route, target, credentials)
    if (wrongOrigin !== undefined) return refused(csrf(route, identity, wrongOrigin), route)
    const decision = judge(route, { identity, tokens: undefined, live: undefined, until: expiresAt }, credentials)
    if (decision.verdict.kind !== 'challenge') return decision
    // A stronger sign-in is not ours to ask for: it happens at the gateway in front.
    const lacking = unmet(target, identity, credentials.address)
    return refused({ kind: 'forbid', route: route.index, reason: 'step_up', identity, unmet: lacking }, route)
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
    const wrongOrigin = wrongOriginOf(route, target, credentials)
    if (wrongOrigin !== undefined) return refused(csrf(route, identity, wrongOrigin), route, live, setCookies)
    if (route.provider !== undefined && route.provider !== identity.provider) {
      const detail = `this address needs a sign-in with ${route.provider}`
      return refused({ ...refusal, reason: 'other_provider', detail }, route, live, setCookies)
    }
    const tokenEnd = tokenEnds[route.index]?.(tokens)
    if (tokenEnd !== undefined && tokenEnd <= clock.now()) return withoutFreshToken(route, live)
    const decision = judge(route, { identity, tokens, live, until: undefined }, credentials)
    return setCookies.length === 0 ? decision : { ...decision, setCookies }
  }

  /** Why a request whose proof comes along by itself must not count as its person's wish; undefined where it may. */
  const wrongOriginOf = (route: CompiledRoute, target: Target, credentials: Credentials): string | undefined =>
    originProblem({
      method: target.method,
      isUpgrade: credentials.isUpgrade,
      origin: credentials.origin,
      secFetchSite: credentials.secFetchSite,
      // The address itself counts too: with a cookie domain it need not be one of publicUrl.
      allowedOrigins: credentials.origin === originOf(target) ? [credentials.origin] : ownOrigins,
      routeOrigins: route.origins,
    })

  /** An expired token never leaves. Whether that is a fault that passes, or only a sign-in helps, differs. */
  function withoutFreshToken(route: CompiledRoute, { session }: LiveSession): Decision {
    if (needsSignIn(route, session)) return withoutProof(route, 'session_expired', noCookies)
    throw new GatewayError('provider_unreachable', `route ${route.name} passes a token on, and it could not be renewed`)
  }

  /** There is nowhere to sign in, so nobody is sent there. */
  function withoutSessions(route: CompiledRoute): Decision {
    const [first] = sources
    if (first === undefined || route.access === 'optional') return withoutProof(route, 'not_signed_in', noCookies)
    const { header } = first
    const detail = `no token came in ${header}: the gateway in front adds it`
    return refused({ kind: 'challenge', route: route.index, reason: 'not_signed_in', detail, header }, route)
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

const csrf = ({ index }: CompiledRoute, identity: Identity, detail: string): Forbid => ({
  kind: 'forbid',
  route: index,
  reason: 'csrf',
  identity,
  unmet: [],
  detail,
})

function anonymousDecision(route: CompiledRoute, headers: IdentityHeaders): Decision {
  return {
    verdict: { kind: 'allow', route: route.index, identity: undefined },
    route,
    live: undefined,
    until: undefined,
    headers,
    setCookies: noCookies,
    isPreflight: false,
  }
}

/** The token of a Bearer header; undefined for another scheme, which is not ours to judge. Scheme without case: RFC 9110 11.1. */
function bearerToken(authorization: string): string | undefined {
  return /^bearer(?: |$)/i.test(authorization) ? authorization.slice(7).trim() : undefined
}
