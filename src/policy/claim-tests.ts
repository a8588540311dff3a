/** Requirements on single claims: equal to one of some values, or matching a pattern as a whole. */
import type { ClaimTest } from '../config/config.ts'
import { boundedMatch } from './bounded-match.ts'
import { type Check, choice, type Judgement } from './check.ts'

/** Several tests of one `claims:` all have to hold. */
export function claimChecks(tests: readonly ClaimTest[]): readonly Check[] {
  return tests.map((test) =>
    'oneOf' in test ? oneOfCheck(test.claim, test.oneOf) : matchesCheck(test.claim, test.matches),
  )
}

/** Types count: the number 1 is not the text "1". Of a claim with several values one is enough. */
function oneOfCheck(claim: string, values: readonly (string | number | boolean)[]): Check {
  const wanted = new Set<unknown>(values)
  const sentence = choice(`have the claim "${claim}" with`, `have the claim "${claim}" with one of`, values.map(String))
  return claimCheck(claim, sentence, {
    rule: `${claim} is one of ${JSON.stringify(values)}`,
    holds: (values) => values.some((value) => wanted.has(value)),
  })
}

/** The pattern covers the whole text however it was written: an unanchored one would match inside other values. */
function matchesCheck(claim: string, pattern: RegExp): Check {
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gmy]/g, ''))
  const matches = boundedMatch(whole)
  return claimCheck(claim, `have the claim "${claim}" in the form this site expects`, {
    rule: `${claim} matches ${whole}`,
    holds: (values) => matches(values.filter((value) => typeof value === 'string')),
  })
}

interface ClaimRule {
  readonly rule: string
  /** @param values of the claim: the one, or those of its list */
  holds(values: readonly unknown[]): Judgement
}

function claimCheck(claim: string, wanted: string, { rule, holds }: ClaimRule): Check {
  return {
    unmet: { requirement: 'claims', wanted },
    dependsOn: 'person',
    rule,
    judge({ claims }) {
      const value = claimAt(claims, claim)
      return holds(Array.isArray(value) ? value : [value])
    },
    seen: ({ claims }) => shown(claimAt(claims, claim)),
  }
}

/**
 * The claim under exactly this name, else the one that its dots lead to (`address.country`). Names like
 * `https://example.com/role` hold dots themselves, so the whole name comes first. Own members alone.
 */
export function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const key of name.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'not there'
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
