import type { CorsConfig, Requirements, RouteConfig } from '../config/config.ts'
import type { Identity } from '../core/identity.ts'
import type { RouteIndex, Unmet } from '../core/verdict.ts'
import { type Check, dependenceOf, type RequestContext } from './check.ts'
import { compileRequirements, positive, unmetOf } from './requirements.ts'
import { compileStepUp, type StepUp } from './step-up.ts'

/** A route of the file as the gate uses it. Where the request goes afterwards is the proxy's business. */
export interface CompiledRoute {
  readonly index: RouteIndex
  readonly name: string
  /** As written: `/exact` or `/prefix/*`. */
  readonly path: string
  readonly access: 'public' | 'optional' | 'restricted'
  readonly acceptsSession: boolean
  readonly acceptsBearer: boolean
  /** Named provider that a session must come from. */
  readonly provider: string | undefined
  /** What is missing, in the order of the checks; one shared empty list where all is met. */
  unmet(identity: Identity, context: RequestContext): readonly Unmet[]
  /** The outcome may change with the request's time or address: a yes must not be kept. */
  readonly dependsOnRequest: boolean
  /** Scopes that help here, for `insufficient_scope` (RFC 6750 3.1). */
  readonly scopes: readonly string[]
  /** Asked for at every login for this route: what each way to a yes needs. Those of `anyOf` wait for `stepUp`. */
  readonly acr: readonly string[] | undefined
  /** Seconds. */
  readonly maxAge: number | undefined
  /** What a new sign-in must bring so that this person gets in; undefined where none would help. */
  stepUp(identity: Identity, context: RequestContext): StepUp | undefined
  readonly encodedSlashes: 'refuse' | 'keep'
  /** Origins beyond our own that cookie-proved unsafe requests and upgrades may come from. */
  readonly origins: readonly string[]
  readonly cors: CorsConfig | undefined
  /** Lower case. */
  readonly upgrades: readonly string[]
  /** For `explain`; empty where signing in is enough. */
  readonly checks: readonly Check[]
}

/** @throws RangeError where `allow` names no requirement at all, or a network is none */
export function compileRoute(route: RouteConfig, index: RouteIndex): CompiledRoute {
  const requirements: Requirements = typeof route.allow === 'string' ? {} : route.allow
  const checks = typeof route.allow === 'string' ? [] : compileRequirements(route.allow)
  return {
    index,
    name: route.name,
    path: route.path,
    access: route.allow === 'public' || route.allow === 'optional' ? route.allow : 'restricted',
    acceptsSession: route.accept.includes('session'),
    acceptsBearer: route.accept.includes('bearer'),
    provider: route.provider,
    unmet: (identity, context) => unmetOf(checks, identity, context),
    dependsOnRequest: dependenceOf(checks) === 'request',
    scopes: [...new Set(positive(requirements).flatMap((way) => way.scopes ?? []))],
    acr: requirements.acr,
    maxAge: requirements.maxAge,
    stepUp: compileStepUp(requirements, checks),
    encodedSlashes: route.encodedSlashes,
    origins: route.origins,
    cors: route.cors,
    upgrades: route.upgrades,
    checks,
  }
}
