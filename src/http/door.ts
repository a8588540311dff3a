/** What all front doors do alike: ask the gate, then answer or refuse, and answer for whatever fails on the way. */
import type { Refusal } from '../core/verdict.ts'
import type { Decision } from '../gate/decision.ts'
import { type Answer, withHeaders } from './answer.ts'
import { askingOf, type Exchange } from './exchange.ts'
import type { Refuser } from './refuse.ts'
import type { RequestHead } from './request-reading.ts'

/** What a door does of its own accord. */
export interface Steps {
  decide(): Decision | Promise<Decision>
  answer(decision: Decision): void
  fail(error: unknown): void
}

/** Synchronous where the decision is: a session that is known costs no turn of the event loop. */
export function decideThen({ decide, answer, fail }: Steps): void {
  try {
    const decision = decide()
    if (decision instanceof Promise) decision.then(answer).catch(fail)
    else answer(decision)
  } catch (error) {
    fail(error)
  }
}

/** The answer to a no, with the cookies that go along (those of a session that ended are removed). */
export function refusal(
  refuser: Refuser,
  exchange: Exchange<RequestHead>,
  verdict: Refusal,
  { route, setCookies }: Pick<Decision, 'route' | 'setCookies'>,
): Answer {
  const answer = refuser.refuse(verdict, route, askingOf(exchange))
  return setCookies.length === 0 ? answer : withHeaders(answer, { 'set-cookie': setCookies })
}
