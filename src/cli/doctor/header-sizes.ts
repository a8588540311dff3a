/** Whether what a real person brings fits: their session into cookies, their identity into headers. */
import type { Config, RouteConfig } from '../../config/config.ts'
import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import { silentLog } from '../../core/log.ts'
import type { Proof } from '../../core/proof.ts'
import { compileRouteHeaders } from '../../gate/route-headers.ts'
import { createUpstreamAuthorization } from '../../proxy/upstream-authorization.ts'
import { openAssertion } from '../../runtime.ts'
import { createSession } from '../../session/lifetimes.ts'
import { openSessionState, openSessions } from '../../session/open.ts'
import type { Patient } from './examination.ts'
import type { Finding } from './finding.ts'

export async function examineSizes(patient: Patient): Promise<readonly Finding[]> {
  // That nobody was signed in is told where tokens are looked at.
  const [provider] = patient.config.providers
  const signedIn = provider === undefined ? undefined : await patient.signIns.at(provider.name).catch(() => undefined)
  if (signedIn === undefined) return []
  return [...(await session(patient, signedIn.proof)), ...headers(patient, signedIn.proof)]
}

/** The store's own code seals it, and has its own words where it does not fit. */
async function session({ config, clock }: Patient, proof: Proof): Promise<readonly Finding[]> {
  if (config.session.store !== 'cookie') return []
  const deps = { clock, log: silentLog }
  const state = await openSessionState(deps)
  const sessions = openSessions(config, { ...deps, state })
  try {
    await sessions.sites[0]!.store.create(createSession(proof, clock.now(), config.session))
    return []
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'session_too_large') throw error
    const fix = 'keep fewer groups with provider.groupsKept, or write session.store: redis'
    return [{ name: 'session-too-large', severity: 'error', place: 'session.store', cause: error.message, fix }]
  } finally {
    await sessions.close()
    await state.close()
  }
}

/** Bytes of an answer's headers that nginx takes from an auth service (proxy_buffer_size), and of a request's most servers. */
const limits = { answer: 4096, request: 8192 } as const
/** Status line, Date and what the gateway adds. */
const overhead = 256

/** The route with the largest; the same headers are seldom told apart by routes. */
function headers({ config, clock }: Patient, proof: Proof): readonly Finding[] {
  const asks = config.forwardAuth !== undefined
  const lines = headerLines(config, clock, proof)
  const [largest] = config.routes
    .map((route, index) => ({ route, index }))
    .filter(({ route: { allow, upstream } }) => allow !== 'public' && (asks || upstream !== undefined))
    .map(({ route, index }) => ({ route, ...sizeOf(lines(index)) }))
    .toSorted((a, b) => b.bytes - a.bytes)
  if (largest === undefined) return []
  const byAnswer = asks && largest.route.upstream === undefined
  const limit = byAnswer ? limits.answer : limits.request
  if (largest.bytes + overhead <= limit) return []
  const { route, bytes, widest } = largest
  return [
    {
      name: 'headers-too-large',
      severity: 'warning',
      place: `route ${route.name}`,
      cause: `its headers take ${bytes} bytes for this person, most of it ${widest}; ${byAnswer ? 'nginx takes 4 KiB of an answer, and says 500 to more' : 'most servers take 8 KiB, and say 431 to more'}`,
      fix: byAnswer
        ? 'write proxy_buffer_size 16k where nginx asks, or set fewer headers: identityHeaders, provider.groupsKept'
        : 'raise the limit of the upstream, or set fewer headers: identityHeaders, provider.groupsKept',
    },
  ]
}

type Lines = readonly (readonly [name: string, value: string])[]

/** The gateway's own makers of headers: names and templates, a line for each group of an impersonation, the signed statement. */
function headerLines(config: Config, clock: Clock, { identity, tokens }: Proof): (index: number) => Lines {
  const { routes } = config
  const makers = compileRouteHeaders(
    routes,
    silentLog,
    config.bearer.flatMap(({ header }) => header ?? []),
  )
  const assertion = openAssertion(config, clock)
  return (index) => {
    const { all, known } = makers[index]!(identity, tokens)
    // A gateway is told every name, and an application only those that have a value.
    const isProxied = routes[index]!.upstream !== undefined
    const made = isProxied ? known : all
    const lines = Array.from({ length: made.length / 2 }, (_, n) => [made[2 * n]!, made[2 * n + 1]!] as const)
    const signed = assertion?.make(index, { identity, live: undefined, until: undefined }).jwt
    return [
      ...lines,
      ...(assertion !== undefined && signed !== undefined ? [[assertion.header, signed] as const] : []),
      ...(isProxied ? serviceAccount(routes[index]!) : []),
    ]
  }
}

/** That its token cannot be read has a finding of its own. */
function serviceAccount(route: RouteConfig): Lines {
  try {
    const value = createUpstreamAuthorization(route)()
    return value === undefined ? [] : [['Authorization', value]]
  } catch {
    return []
  }
}

/** Lines of one name count together: sixty groups are sixty lines. */
function sizeOf(lines: Lines): { bytes: number; widest: string } {
  const sizes = new Map<string, number>()
  for (const [name, value] of lines) {
    sizes.set(name, (sizes.get(name) ?? 0) + Buffer.byteLength(`${name}: ${value}\r\n`))
  }
  const [widest] = [...sizes].toSorted(([, a], [, b]) => b - a)
  return { bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0), widest: widest?.[0] ?? '' }
}
