import type { Metrics } from '../telemetry/metrics.ts'
import type { IngressWitness } from './forward-auth/ingress-witness.ts'
import type { DependencyState, OperationsParts, ProviderStatus } from './operations.ts'
import { secretFingerprints } from './secret-fingerprints.ts'
import type { Serving } from './serving.ts'

export interface OperationsSources {
  readonly serving: () => Serving
  readonly metrics: Metrics
  readonly witness: IngressWitness
  readonly version: string
  readonly startedAt: number
  readonly configuredAt: () => number
  /** False while starting and while draining. */
  readonly accepting: () => boolean
  readonly reloadProblem: () => string | undefined
}

/** What the operations listener tells, read from the runtime of the moment. */
export function operationsParts(sources: OperationsSources): OperationsParts {
  const { serving, metrics } = sources
  return {
    metrics,
    status() {
      const { config, trusted } = serving()
      const isAsked = config.forwardAuth !== undefined || config.extAuthz !== undefined
      const problem = sources.reloadProblem()
      return {
        version: sources.version,
        configHash: config.hash,
        startedAt: sources.startedAt,
        configuredAt: sources.configuredAt(),
        store: config.session.store,
        providers: providerStates(serving()),
        secrets: secretFingerprints(config),
        ...(isAsked && { forwardAuth: sources.witness.report(trusted) }),
        ...(problem !== undefined && { reloadProblem: problem }),
      }
    },
    readiness: () => ({
      // Without the store nobody can be told apart: another replica may have it, so this one asks for no traffic.
      ready: sources.accepting() && serving().sessions.storeState().ready,
      dependencies: dependencies(serving()),
    }),
  }
}

function providerStates({ providers }: Serving): readonly ProviderStatus[] {
  return Array.from(providers.values(), ({ config, state }) => {
    const { ready, detail } = state()
    const problem = detail === undefined || ready ? {} : { problem: detail }
    return {
      name: config.name,
      issuer: config.issuer,
      state: ready ? 'ready' : detail ? 'unreachable' : 'unknown',
      ...problem,
    }
  })
}

/** A provider that is down is told and does not make us unready: people who are signed in go on working. */
function dependencies({ providers, bearer, config, sessions }: Serving): Readonly<Record<string, DependencyState>> {
  const states: Record<string, DependencyState> = { [`store ${config.session.store}`]: told(sessions.storeState()) }
  for (const { config: own, state } of providers.values()) states[`provider ${own.name}`] = told(state())
  for (const [issuer, state] of bearer.states()) states[`bearer ${issuer}`] = told(state)
  return states
}

const told = ({ ready, detail }: { ready: boolean; detail?: string }): DependencyState =>
  ready || detail === undefined ? { ok: ready } : { ok: false, detail }
