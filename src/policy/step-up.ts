/** Step-up: what a new sign-in would have to bring so that a route lets the same person in. */
import type { Requirements } from '../config/config.ts'
import type { Identity } from '../core/identity.ts'
import { type Check, judgeAll, type RequestContext } from './check.ts'
import { positive } from './requirements.ts'

/** What the provider is asked for beyond a plain login: essential `acr` values, `max_age` in seconds. */
export interface StepUp {
  readonly acr?: readonly string[]
  readonly maxAge?: number
}

export type StepUpOf = (identity: Identity, context: RequestContext) => StepUp | undefined

const never: StepUpOf = () => undefined

/**
 * Judges the person as they would stand after signing in again just now, once per level the route mentions.
 * Undefined where no new sign-in would help: then sending them to the provider would be a loop.
 */
export function compileStepUp(requirements: Requirements, checks: readonly Check[]): StepUpOf {
  const ways = positive(requirements)
  const levels = [...new Set(ways.flatMap((way) => way.acr ?? []))]
  const ages = ways.flatMap((way) => way.maxAge ?? [])
  if (levels.length === 0 && ages.length === 0) return never
  const maxAge = ages.length === 0 ? undefined : Math.min(...ages)
  return (identity, context) => {
    const fresh: Identity = { ...identity, authTime: Math.floor(context.now / 1000) }
    const acr = levels.filter((level) => judgeAll(checks, { ...fresh, acr: level }, context) === true)
    if (acr.length === 0 && judgeAll(checks, fresh, context) !== true) return undefined
    return { ...(acr.length > 0 && { acr }), ...(maxAge !== undefined && { maxAge }) }
  }
}
