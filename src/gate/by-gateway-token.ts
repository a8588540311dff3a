/** Proof by the token that a gateway in front adds, as Cloudflare Access does: it has signed the person in already. */
import type { BearerResult, TokenSource } from '../bearer/verifier.ts'
import type { Clock } from '../core/clock.ts'
import type { Decision } from './decision.ts'
import { noCookies } from './decision.ts'
import { csrf, type Judge, refused } from './judge.ts'
import { type Question, wrongOriginOf } from './question.ts'
import type { WithoutProof } from './without-proof.ts'

export interface GatewayTokenProofParts {
  /** In the order of the file; empty where it names no header. */
  readonly sources: readonly TokenSource[]
  readonly judge: Judge
  readonly withoutProof: WithoutProof
  readonly ownOrigins: readonly string[]
  readonly clock: Clock
}

export interface GatewayTokenProof {
  /** Undefined where no such token came, or the route wants a sign-in of its own. */
  find(question: Question): TokenSource | undefined
  decide(question: Question, source: TokenSource): Decision | Promise<Decision>
  /** For addresses without a sign-in: there is nowhere to send anybody. */
  missing(question: Question): Decision
}

export function createGatewayTokenProof(parts: GatewayTokenProofParts): GatewayTokenProof {
  const { sources, judge, withoutProof, ownOrigins, clock } = parts

  function judged(question: Question, { header }: TokenSource, result: BearerResult): Decision {
    const { route, credentials } = question
    if (result.kind === 'invalid') {
      const { reason } = result
      const detail = `${header}: ${result.detail}`
      return refused({ kind: 'challenge', route: route.index, reason, detail, header }, route)
    }
    const { identity, expiresAt } = result
    // The gateway adds it to whatever a browser sends, other sites' forms included: as little consent as a cookie.
    const wrongOrigin = wrongOriginOf(question, ownOrigins)
    if (wrongOrigin !== undefined) return refused(csrf(route, identity, wrongOrigin), route)
    const decision = judge(route, { identity, tokens: undefined, live: undefined, until: expiresAt }, credentials)
    if (decision.verdict.kind !== 'challenge') return decision
    // A stronger sign-in is not ours to ask for: it happens at the gateway in front.
    const unmet = route.unmet(identity, { clientAddress: credentials.address, now: clock.now() })
    return refused({ kind: 'forbid', route: route.index, reason: 'step_up', identity, unmet }, route)
  }

  return {
    find({ route, credentials }) {
      if (sources.length === 0 || route.provider !== undefined) return undefined
      return sources.find(({ header }) => credentials.header(header))
    },
    decide(question, source) {
      const result = source.verify(question.credentials.header(source.header) ?? '')
      return result instanceof Promise
        ? result.then((late) => judged(question, source, late))
        : judged(question, source, result)
    },
    missing({ route }) {
      const [first] = sources
      if (first === undefined || route.access === 'optional') return withoutProof(route, 'not_signed_in', noCookies)
      const { header } = first
      const detail = `no token came in ${header}: the gateway in front adds it`
      return refused({ kind: 'challenge', route: route.index, reason: 'not_signed_in', detail, header }, route)
    },
  }
}
