import type { Identity } from '../core/identity.ts'
import type { Unmet } from '../core/verdict.ts'

/** What a rule may know of a request beyond who sent it. */
export interface RequestContext {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** From `clientAddress` (core/addresses.ts). */
  readonly clientAddress: string
}

/**
 * Undefined: the fact is not known (no proven e-mail, no `auth_time`). It is as bad as no, and `not` leaves it
 * undefined: what is not known is not ruled out either, so nobody gets in by hiding a fact.
 */
export type Judgement = boolean | undefined

/** One key of the file's `allow:`, compiled. Made once at the start; judging allocates nothing that lasts. */
export interface Check {
  readonly unmet: Unmet
  /** The values of the file, for whoever runs the gateway (`explain`); people see `unmet.wanted`. */
  readonly rule: string
  judge(identity: Identity, context: RequestContext): Judgement
  /** The value it was judged by, in words. */
  seen(identity: Identity, context: RequestContext): string
  /**
   * What the judgement turns on. A yes about the person is kept with the session; one that turns on the request (its
   * time, its address) is asked for anew each time. Required, so that a new kind of rule cannot forget to say.
   */
  readonly dependsOn: 'person' | 'request'
  /** `anyOf`: each inner list is one way to pass. `not`: the one inner list that must not hold. */
  readonly parts?: readonly (readonly Check[])[]
}

export const dependenceOf = (checks: readonly Check[]): Check['dependsOn'] =>
  checks.some(({ dependsOn }) => dependsOn === 'request') ? 'request' : 'person'

/** AND: one no settles it, whatever else is unknown. */
export function judgeAll(checks: readonly Check[], identity: Identity, context: RequestContext): Judgement {
  let all: Judgement = true
  for (const check of checks) {
    const one = check.judge(identity, context)
    if (one === false) return false
    if (one === undefined) all = undefined
  }
  return all
}

/** OR: one yes settles it. */
export function judgeAny(ways: readonly (readonly Check[])[], identity: Identity, context: RequestContext): Judgement {
  let any: Judgement = false
  for (const way of ways) {
    const one = judgeAll(way, identity, context)
    if (one === true) return true
    if (one === undefined) any = undefined
  }
  return any
}

/** "the realm role admin", but "one of the realm roles: admin, ops". */
export const choice = (single: string, several: string, values: readonly string[]): string =>
  values.length === 1 ? `${single} ${values[0]}` : `${several}: ${listed(values)}`

/** A list for a sentence; long ones are cut, so that a page stays readable. */
export function listed(values: readonly string[], most = 10): string {
  const shown = values.slice(0, most).join(', ')
  return values.length > most ? `${shown} and ${values.length - most} more` : shown
}
