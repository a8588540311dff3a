/** Proof by the bearer token of an API client. */
import type { BearerResult, BearerVerifier } from '../bearer/verifier.ts'
import type { Clock } from '../core/clock.ts'
import type { Decision } from './decision.ts'
import { type Judge, refused } from './judge.ts'
import type { TokenEnd } from './passed-tokens.ts'
import type { Question } from './question.ts'

export interface BearerProofParts {
  readonly bearer: BearerVerifier
  readonly judge: Judge
  /** By route index. */
  readonly tokenEnds: readonly (TokenEnd | undefined)[]
  readonly clock: Clock
}

export type ByBearer = (question: Question, token: string) => Decision | Promise<Decision>

/** A presented token is the whole answer: a bad one is never made good by a cookie beside it. */
export function createBearerProof({ bearer, judge, tokenEnds, clock }: BearerProofParts): ByBearer {
  return (question, token) => {
    const result = bearer.verify(token)
    return result instanceof Promise
      ? result.then((late) => judged(question, token, late))
      : judged(question, token, result)
  }

  function judged({ route, credentials }: Question, token: string, result: BearerResult): Decision {
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
}

/** The token of a Bearer header; undefined for another scheme, which is not ours to judge. Scheme without case: RFC 9110 11.1. */
export const bearerToken = (authorization: string): string | undefined =>
  /^bearer(?: |$)/i.test(authorization) ? authorization.slice(7).trim() : undefined
