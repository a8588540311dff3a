import type { BearerVerifier } from '../bearer/verifier.ts'
import type { Clock } from '../core/clock.ts'
import type { Identity } from '../core/identity.ts'
import type { Target } from '../core/target.ts'
import type { Unmet } from '../core/verdict.ts'
import { isCorsOrigin, isPreflight } from '../policy/cors.ts'
import type { CompiledRoute, Policy } from '../policy/policy.ts'
import type { Session, SessionStore } from '../session/session.ts'
import { type AssertionHeader, withAssertion } from './assertion.ts'
import { bearerToken, createBearerProof } from './by-bearer.ts'
import { createGatewayTokenProof } from './by-gateway-token.ts'
import { createSessionProof } from './by-session.ts'
import { type Credentials, type Decision, noCookies } from './decision.ts'
import type { HeaderMaker, IdentityHeaders } from './identity-headers.ts'
import { createJudge, refused } from './judge.ts'
import type { TokenEnd } from './passed-tokens.ts'
import type { Question } from './question.ts'
import type { Renewal } from './renewal.ts'
import { anonymousDecision, createWithoutProof } from './without-proof.ts'

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

/** Policy first, then proof, then requirements. A fault on the way throws; it never leaves an identity behind. */
export function createGate(parts: GateParts): Gate {
  const { policy, sessionsAt, headers, assertion, clock } = parts
  const nobody = (make: HeaderMaker): IdentityHeaders => {
    const made = make(undefined, undefined)
    return assertion === undefined ? made : withAssertion(made, assertion.name, '')
  }
  const anonymous = policy.routes.map((route) => anonymousDecision(route, nobody(headers[route.index]!)))
  const preflight = anonymous.map((decision) => ({ ...decision, isPreflight: true }))
  const judge = createJudge(headers, assertion, clock)
  const withoutProof = createWithoutProof(anonymous)
  const byBearer = createBearerProof({ ...parts, judge })
  const byGatewayToken = createGatewayTokenProof({ ...parts, sources: parts.bearer.sources, judge, withoutProof })
  const bySession = createSessionProof({ ...parts, judge, withoutProof })

  function decide(target: Target, credentials: Credentials): Decision | Promise<Decision> {
    const asked = target.method === 'OPTIONS' ? preflightRoute(target, credentials) : undefined
    if (asked !== undefined) return preflight[asked.index]!
    const match = policy.match(target)
    if (match.kind === 'unrouted') return refused(match, undefined)
    const { route } = match
    if (route.access === 'public') return anonymous[route.index]!
    return prove({ route, target, credentials })
  }

  function prove(question: Question): Decision | Promise<Decision> {
    const { route, target, credentials } = question
    if (route.acceptsBearer && credentials.authorization !== undefined) {
      const token = bearerToken(credentials.authorization)
      if (token !== undefined) return byBearer(question, token)
    }
    if (!route.acceptsSession) return withoutProof(route, 'not_signed_in', noCookies)
    const source = byGatewayToken.find(question)
    if (source !== undefined) return byGatewayToken.decide(question, source)
    const sessions = sessionsAt(target)
    return sessions === undefined ? byGatewayToken.missing(question) : bySession.decide(question, sessions)
  }

  /**
   * A real preflight (Fetch 4.8) comes without credentials and belongs to the route of the method it announces. It never
   * upgrades: one that does wants a tunnel to the application without being anybody.
   */
  function preflightRoute(target: Target, credentials: Credentials): CompiledRoute | undefined {
    // No browser sends either with one; whoever shows something is judged by it.
    const { cookie, authorization, origin, requestedMethod } = credentials
    if (credentials.isUpgrade || cookie !== undefined || authorization !== undefined) return undefined
    const question = { origin, method: requestedMethod, headers: undefined }
    if (!isPreflight(target.method, question) || origin === undefined) return undefined
    const match = policy.match(target, requestedMethod)
    if (match.kind === 'unrouted' || match.route.cors === undefined) return undefined
    return isCorsOrigin(match.route.cors, origin) ? match.route : undefined
  }

  function unmet(target: Target, identity: Identity, address: string): readonly Unmet[] {
    const match = policy.match(target)
    return match.kind === 'unrouted' ? [] : match.route.unmet(identity, { clientAddress: address, now: clock.now() })
  }

  return { decide, unmet, needsSignIn: bySession.needsSignIn }
}
