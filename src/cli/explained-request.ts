/** What is asked for in `doorward explain`, and what the gate itself makes of it. */
import type { BearerResult, BearerVerifier } from '../bearer/verifier.ts'
import type { Config, RouteConfig } from '../config/config.ts'
import { readAddress } from '../core/addresses.ts'
import { systemClock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import { silentLog } from '../core/log.ts'
import { normaliseHost, originOf, type Target } from '../core/target.ts'
import type { Decision } from '../gate/decision.ts'
import { createGate } from '../gate/gate.ts'
import type { Renewal } from '../gate/renewal.ts'
import { compileRouteHeaders } from '../gate/route-headers.ts'
import { targetFrom } from '../http/request-reading.ts'
import { type Explanation, explain } from '../policy/explain.ts'
import { type CompiledRoute, compilePolicy } from '../policy/policy.ts'
import { openSessionState, openSessions } from '../session/open.ts'
import type { LiveSession, SessionStore } from '../session/session.ts'
import type { Person } from './explained-person.ts'
import { type Options, UsageError } from './world.ts'

export interface Question {
  readonly target: Target
  readonly address: string
}

/** How the person shows who they are on the route that was found. */
export type ShownBy = 'nothing' | 'session' | 'token'

export interface Finding {
  readonly explanation: Explanation
  readonly decision: Decision
  readonly shownBy: ShownBy
  /** Undefined where nobody is known, or the route does not look at what they show. */
  readonly identity: Identity | undefined
  /** Where an allowed request goes; undefined where no route was found. */
  readonly destination: string | undefined
}

/**
 * Reads the address as a front door does, so that nothing is repaired on the way.
 * @throws UsageError; GatewayError `ambiguous_path`, which is an answer
 */
export function readQuestion(options: Options, config: Config): Question {
  const url = options.text('url')
  if (url === undefined) throw new UsageError('--url is missing', 'for example: `doorward explain --url /admin`')
  const address = readAddress(options.text('address') ?? '127.0.0.1')
  if (address === undefined) {
    throw new UsageError(
      `--address "${options.text('address')}" is not an IP address`,
      'for example: --address 192.0.2.7',
    )
  }
  const first = config.publicUrls[0]!
  const [, scheme = first.protocol.slice(0, -1), host = first.host, rest = ''] =
    /^(?:(https?):\/\/([^/?#]*))?([^#]*)/i.exec(url) ?? []
  if (!/^(?:https?:\/\/|\/)/i.test(url)) {
    throw new UsageError(`--url "${url}" is no http address`, `a whole one, or a path: ${first.origin}/admin, /admin`)
  }
  const method = options.text('method')?.toUpperCase() ?? 'GET'
  const path = rest.startsWith('/') ? rest : `/${rest}`
  try {
    return {
      address,
      target: targetFrom({ method, scheme: scheme.toLowerCase(), host, uri: path }, { readHost: normaliseHost }),
    }
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code === 'ambiguous_path') throw error
    throw new UsageError(`this cannot be asked: ${error.message}`, '`doorward help explain` shows how to ask')
  }
}

/** Asks the explaining twin of the policy and the gate, with the same compiled routes. */
export async function judge(question: Question, person: Person, config: Config): Promise<Finding> {
  const { target, address } = question
  const policy = compilePolicy(
    config.routes,
    config.publicUrls.map(({ host }) => host),
  )
  const context = { now: systemClock.now(), clientAddress: address }
  const found = explain(policy, target, undefined, context)
  const route = found.route && policy.routes[found.route.index]
  const shownBy = howShown(person, route?.acceptsSession ?? true)
  const identity = route === undefined || looksAt(route, shownBy) ? identityOf(person) : undefined
  const explanation = explain(policy, target, identity, context)
  const decision = await withSessions(config, shownBy === 'session' ? identity : undefined, (sessionsAt) => {
    const gate = createGate({
      policy,
      sessionsAt,
      bearer: verifierFor(person),
      renewal: noRenewal,
      headers: compileRouteHeaders(config.routes, silentLog),
      assertion: undefined,
      tokenEnds: [],
      ownOrigins: config.publicUrls.map(({ origin }) => origin),
      clock: systemClock,
    })
    return gate.decide(target, credentialsOf(question, shownBy))
  })
  const destination = route && destinationOf(config.routes[route.index]!)
  return { explanation, decision, shownBy, identity, destination }
}

function destinationOf({ upstream, respond }: RouteConfig): string {
  if (respond !== undefined) return `a fixed answer, ${respond.status}`
  if (upstream === undefined)
    return 'the ingress that asked; a direct request gets 421, since the route has no upstream'
  return upstream.socketPath ?? upstream.url.origin
}

const looksAt = ({ access, acceptsSession, acceptsBearer }: CompiledRoute, shownBy: ShownBy): boolean =>
  access !== 'public' && ((shownBy === 'session' && acceptsSession) || (shownBy === 'token' && acceptsBearer))

/** Claims become the session of a browser where the route looks at sessions, else a token. */
function howShown({ kind }: Person, acceptsSession: boolean): ShownBy {
  if (kind === 'nobody') return 'nothing'
  return kind === 'claims' && acceptsSession ? 'session' : 'token'
}

function identityOf(person: Person): Identity | undefined {
  if (person.kind === 'claims') return person.identity
  return person.kind === 'token' && person.result.kind === 'valid' ? person.result.identity : undefined
}

/** What the token proves is settled already; the gate gets the result whatever it shows. */
function verifierFor(person: Person): BearerVerifier {
  return {
    sources: [],
    verify: () => resultOf(person),
    states: () => new Map(),
    cacheStatistics: () => ({ entries: 0, bytes: 0, hits: 0, misses: 0 }),
    close: async () => undefined,
  }
}

function resultOf(person: Person): BearerResult {
  if (person.kind === 'token') return person.result
  if (person.kind === 'claims') return { kind: 'valid', identity: person.identity, expiresAt: Number.MAX_SAFE_INTEGER }
  return { kind: 'invalid', reason: 'token_invalid', detail: 'no token came' }
}

/** From a page of the same site, since what is explained is the rules of the file and not an attack. */
const credentialsOf = ({ target, address }: Question, shownBy: ShownBy) => ({
  cookie: undefined,
  authorization: shownBy === 'token' ? 'Bearer explained' : undefined,
  header: () => undefined,
  origin: originOf(target),
  secFetchSite: 'same-origin',
  requestedMethod: undefined,
  address,
  isUpgrade: false,
  isNavigation: target.method === 'GET' || target.method === 'HEAD',
  canSetCookie: true,
})

const noRenewal: Renewal = {
  due: () => 'no',
  renew: async (live) => ({ kind: 'live', live, setCookies: [], fresh: false }),
  renewInBackground: () => undefined,
}

/** Sessions exist where the file says they do; in each of those the person is signed in, if there is one. */
async function withSessions<T>(
  config: Config,
  identity: Identity | undefined,
  use: (sessionsAt: (target: Target) => SessionStore | undefined) => T | Promise<T>,
): Promise<T> {
  const deps = { clock: systemClock, log: silentLog }
  const state = await openSessionState(deps)
  const sessions = openSessions(config, { ...deps, state })
  try {
    return await use((target) => {
      const store = sessions.at(originOf(target))?.store
      return store && { ...store, find: () => (identity === undefined ? { kind: 'none' } : liveSession(identity)) }
    })
  } finally {
    await sessions.close()
    await state.close()
  }
}

function liveSession(identity: Identity) {
  const now = systemClock.now()
  const session = {
    id: 'explained',
    identity,
    tokens: {},
    createdAt: now,
    expiresAt: Number.MAX_SAFE_INTEGER,
    renewedAt: now,
  }
  const live: LiveSession = { session, seenAt: now }
  return { kind: 'live', live } as const
}
