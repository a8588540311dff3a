/** Proof by the session of a browser's cookie, renewed where it is due. */
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { CompiledRoute } from '../policy/policy.ts'
import type { FoundSession, LiveSession, Session, SessionStore, SetCookies } from '../session/session.ts'
import { type Decision, noCookies } from './decision.ts'
import { csrf, type Judge, refused } from './judge.ts'
import type { TokenEnd } from './passed-tokens.ts'
import { type Question, wrongOriginOf } from './question.ts'
import { isRenewable, type Renewal } from './renewal.ts'
import type { WithoutProof } from './without-proof.ts'

export interface SessionProofParts {
  readonly renewal: Renewal
  readonly judge: Judge
  readonly withoutProof: WithoutProof
  /** By route index. */
  readonly tokenEnds: readonly (TokenEnd | undefined)[]
  readonly ownOrigins: readonly string[]
  readonly clock: Clock
}

export interface SessionProof {
  decide(question: Question, sessions: SessionStore): Decision | Promise<Decision>
  /** A token that this route passes on has expired, and no refresh brings another: only a sign-in does. */
  needsSignIn(route: CompiledRoute, session: Session): boolean
}

export function createSessionProof(parts: SessionProofParts): SessionProof {
  const { renewal, judge, withoutProof, tokenEnds, ownOrigins, clock } = parts

  function byFound(question: Question, found: FoundSession, sessions: SessionStore): Decision | Promise<Decision> {
    const { route, credentials } = question
    if (found.kind === 'none') return withoutProof(route, 'not_signed_in', noCookies)
    if (found.kind === 'refused') {
      return withoutProof(route, found.reason === 'invalid' ? 'not_signed_in' : 'session_expired', found.clear)
    }
    const { live } = found
    const due = renewal.due(live, credentials.canSetCookie, tokenEnds[route.index]?.(live.session.tokens))
    const takesHop = found.renewal !== undefined || due === 'hop' || due === 'last'
    if (takesHop && !credentials.canSetCookie && credentials.isNavigation) {
      return refused({ kind: 'login', route: route.index, reason: 'renew' }, route, live)
    }
    if (due === 'wait' || due === 'last') return afterRenewal(question, live, sessions)
    if (due === 'background') renewal.renewInBackground(live, sessions)
    const setCookies = found.renewal !== undefined && credentials.canSetCookie ? found.renewal() : noCookies
    return judged(question, live, setCookies)
  }

  async function afterRenewal(question: Question, live: LiveSession, sessions: SessionStore): Promise<Decision> {
    const renewed = await renewal.renew(live, sessions)
    return renewed.kind === 'ended'
      ? withoutProof(question.route, 'session_expired', sessions.clear(question.credentials.cookie))
      : judged(question, renewed.live, renewed.setCookies)
  }

  function judged(question: Question, live: LiveSession, setCookies: SetCookies): Decision {
    const { route, credentials } = question
    const { identity, tokens } = live.session
    const wrongOrigin = wrongOriginOf(question, ownOrigins)
    if (wrongOrigin !== undefined) return refused(csrf(route, identity, wrongOrigin), route, live, setCookies)
    if (route.provider !== undefined && route.provider !== identity.provider) {
      const detail = `this address needs a sign-in with ${route.provider}`
      const verdict = {
        kind: 'forbid',
        route: route.index,
        reason: 'other_provider',
        identity,
        unmet: [],
        detail,
      } as const
      return refused(verdict, route, live, setCookies)
    }
    if (hasExpiredToken(route, live.session)) return withoutFreshToken(route, live, setCookies)
    const decision = judge(route, { identity, tokens, live, until: undefined }, credentials)
    return setCookies.length === 0 ? decision : { ...decision, setCookies }
  }

  /** An expired token never leaves. Whether that is a fault that passes, or only a sign-in helps, differs. */
  function withoutFreshToken(route: CompiledRoute, { session }: LiveSession, setCookies: SetCookies): Decision {
    if (needsSignIn(route, session)) return withoutProof(route, 'session_expired', setCookies)
    throw new GatewayError('provider_unreachable', `route ${route.name} passes a token on, and it could not be renewed`)
  }

  function hasExpiredToken(route: CompiledRoute, { tokens }: Session): boolean {
    const tokenEnd = tokenEnds[route.index]?.(tokens)
    return tokenEnd !== undefined && tokenEnd <= clock.now()
  }

  function needsSignIn(route: CompiledRoute, session: Session): boolean {
    const tokenEnd = tokenEnds[route.index]?.(session.tokens)
    return tokenEnd !== undefined && tokenEnd <= clock.now() && !isRenewable(session, tokenEnd)
  }

  return {
    decide(question, sessions) {
      const found = sessions.find(question.credentials.cookie)
      return found instanceof Promise
        ? found.then((late) => byFound(question, late, sessions))
        : byFound(question, found, sessions)
    },
    needsSignIn,
  }
}
