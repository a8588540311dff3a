/** The `allow:` of a route, compiled: AND across its keys, OR within a list. */
import type { Requirements } from '../config/config.ts'
import type { Identity } from '../core/identity.ts'
import type { Unmet } from '../core/verdict.ts'
import { type Check, dependenceOf, judgeAll, judgeAny, type RequestContext } from './check.ts'
import { claimChecks } from './claim-tests.ts'
import { acrCheck, maxAgeCheck, networksCheck } from './freshness.ts'
import {
  clientRolesCheck,
  emailDomainsCheck,
  emailsCheck,
  groupsCheck,
  realmRolesCheck,
  scopesCheck,
} from './membership.ts'

/** Every key there is, in the order people read them. A key without a row does not type-check. */
const compilers: { readonly [Key in keyof Requirements]-?: (requirements: Requirements) => readonly Check[] } = {
  groups: ({ groups }) => compiled(groups, groupsCheck),
  realmRoles: ({ realmRoles }) => compiled(realmRoles, realmRolesCheck),
  clientRoles: ({ clientRoles }) => compiled(clientRoles, clientRolesCheck),
  scopes: ({ scopes }) => compiled(scopes, scopesCheck),
  emails: ({ emails }) => compiled(emails, emailsCheck),
  emailDomains: ({ emailDomains }) => compiled(emailDomains, emailDomainsCheck),
  claims: ({ claims }) => claimChecks(claims ?? []),
  networks: ({ networks }) => compiled(networks, networksCheck),
  acr: ({ acr }) => compiled(acr, acrCheck),
  maxAge: ({ maxAge }) => compiled(maxAge, maxAgeCheck),
  anyOf: ({ anyOf }) => compiled(anyOf, anyOfCheck),
  not: ({ not }) => compiled(not, notCheck),
}

const compiled = <Value>(value: Value | undefined, compile: (value: Value) => Check): readonly Check[] =>
  value === undefined ? [] : [compile(value)]

/** @throws RangeError where nothing is required: that would let everybody in, and `signedIn` says so better */
export function compileRequirements(requirements: Requirements): readonly Check[] {
  const checks = Object.values(compilers).flatMap((compile) => compile(requirements))
  if (checks.length === 0) throw new RangeError('a requirement that requires nothing')
  return checks
}

function anyOfCheck(ways: readonly Requirements[]): Check {
  const parts = ways.map(compileRequirements)
  return {
    unmet: { requirement: 'anyOf', wanted: `do one of these: ${parts.map(wantedOf).join('; or ')}` },
    rule: `${parts.length} ways`,
    dependsOn: dependenceOf(parts.flat()),
    parts,
    judge: (identity, context) => judgeAny(parts, identity, context),
    seen: (identity, context) =>
      `${parts.filter((way) => judgeAll(way, identity, context) === true).length} of ${parts.length} hold`,
  }
}

function notCheck(requirements: Requirements): Check {
  const checks = compileRequirements(requirements)
  return {
    unmet: { requirement: 'not', wanted: `not ${wantedOf(checks)}` },
    rule: 'must not hold',
    dependsOn: dependenceOf(checks),
    parts: [checks],
    judge(identity, context) {
      const inner = judgeAll(checks, identity, context)
      return inner === undefined ? undefined : !inner
    },
    seen(identity, context) {
      const inner = judgeAll(checks, identity, context)
      if (inner === undefined) return 'not known, so not ruled out'
      return inner ? 'holds' : 'does not hold'
    },
  }
}

const wantedOf = (checks: readonly Check[]): string => checks.map((check) => check.unmet.wanted).join(' and ')

const nothingUnmet: readonly Unmet[] = Object.freeze([])

/** What an identity lacks; one shared empty list where it lacks nothing. */
export function unmetOf(checks: readonly Check[], identity: Identity, context: RequestContext): readonly Unmet[] {
  if (judgeAll(checks, identity, context) === true) return nothingUnmet
  return checks.filter((check) => check.judge(identity, context) !== true).map((check) => check.unmet)
}

/** These requirements and all that an `anyOf` offers, never what a `not` excludes: the ways to a yes. */
export function positive(requirements: Requirements): readonly Requirements[] {
  return [requirements, ...(requirements.anyOf ?? []).flatMap(positive)]
}
