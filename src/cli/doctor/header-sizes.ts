/** Whether what a real person brings fits: their session into cookies, their identity into headers. */
import type { Config, RouteConfig } from '../../config/config.ts'
import { GatewayError } from '../../core/errors.ts'
import { silentLog } from '../../core/log.ts'
import type { Proof } from '../../core/proof.ts'
import { compileHeaders, configuredNames } from '../../gate/identity-headers.ts'
import { createSession } from '../../session/lifetimes.ts'
import { openSessionState, openSessions } from '../../session/open.ts'
import type { Patient } from './examination.ts'
import type { Finding } from './finding.ts'

export async function examineSizes(patient: Patient): Promise<readonly Finding[]> {
  // That nobody was signed in is told where tokens are looked at.
  const [provider] = patient.config.providers
  const signedIn = provider === undefined ? undefined : await patient.signIns.at(provider.name).catch(() => undefined)
  if (signedIn === undefined) return []
  return [...(await session(patient, signedIn.proof)), ...headers(patient.config, signedIn.proof)]
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
function headers(config: Config, proof: Proof): readonly Finding[] {
  const asks = config.forwardAuth !== undefined
  const sized = config.routes
    .filter(({ allow, upstream }) => allow !== 'public' && (asks || upstream !== undefined))
    .map((route) => ({ route, ...sizeOf(route, config, proof) }))
    .toSorted((a, b) => b.bytes - a.bytes)
  const [largest] = sized
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

function sizeOf(route: RouteConfig, { routes }: Config, { identity, tokens }: Proof) {
  const { all } = compileHeaders(route.headers, configuredNames(routes), silentLog)(identity, tokens)
  const lines = Array.from({ length: all.length / 2 }, (_, index) => ({
    name: all[2 * index]!,
    bytes: Buffer.byteLength(`${all[2 * index]}: ${all[2 * index + 1]}\r\n`),
  }))
  const [widest] = lines.toSorted((a, b) => b.bytes - a.bytes)
  return { bytes: lines.reduce((sum, line) => sum + line.bytes, 0), widest: widest?.name ?? '' }
}
