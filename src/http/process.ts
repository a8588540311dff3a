import type { Config } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import { randomToken } from '../core/encoding.ts'
import type { Log } from '../core/log.ts'
import type { RenewalOutcome } from '../gate/renewal.ts'
import { openRuntime, type World } from '../runtime.ts'
import { handleOf } from '../session/handle.ts'
import { isOver, outlivesProvider } from '../session/lifetimes.ts'
import { openSessionState } from '../session/open.ts'
import { runOutOf, tellOnce } from '../session/run-out.ts'
import type { Session } from '../session/session.ts'
import { openMemoryKeyValue } from '../storage/memory.ts'
import { createAccessLog } from '../telemetry/access-log.ts'
import { type Audit, createAudit } from '../telemetry/audit.ts'
import type { LogDestination } from '../telemetry/destination.ts'
import { createLogger } from '../telemetry/log.ts'
import { createMetrics, type Metrics, type RouteMetrics } from '../telemetry/metrics.ts'
import { readVersion } from '../telemetry/version.ts'
import { createCallbackFlights } from './callback-flights.ts'
import { createExchanges } from './exchange.ts'
import { createIngressWitness } from './forward-auth/ingress-witness.ts'
import type { ListenerParts } from './listeners.ts'
import { createOpenTunnels } from './open-tunnels.ts'
import { createProviderLogout } from './provider-logout.ts'
import { createRetirement, longestDecision } from './retirement.ts'
import { createServing, type Serving } from './serving.ts'
import { createTraffic } from './traffic.ts'

/** What one process has once, and the Serving of the moment in the middle of it. */
export interface Process {
  readonly parts: ListenerParts
  readonly log: Log
  readonly metrics: Metrics
  readonly version: string
  /** When the current configuration took over, milliseconds since the epoch. */
  configuredAt(): number
  /** Why the last reload changed nothing, if it did not. */
  reloadProblem(): string | undefined
  /** Opens the new configuration whole, then takes it; the old one drains. @throws what opening throws: nothing changed then */
  swap(next: Config): void
  refuseReload(error: unknown): void
  /** Ends websockets of sessions that ran out. */
  sweep(): void
  close(): Promise<void>
}

/** States of callbacks remembered at a time; the oldest goes first, and with it only the proof that it was used. */
const mostUsedStates = 100_000

/** Bounds of what a process remembers, and for how long; tests fill small ones. */
export interface ProcessBounds {
  readonly usedStates?: number
  readonly memoryEntries?: number
  /** Milliseconds a replaced configuration is kept; by its longest decision unless said. */
  readonly retireAfter?: number
}

export async function openProcess(
  config: Config,
  destination: LogDestination,
  clock: Clock,
  { usedStates: most = mostUsedStates, retireAfter, ...bounds }: ProcessBounds = {},
): Promise<Process> {
  const version = readVersion()
  const metrics = createMetrics({ version })
  metrics.observeDroppedLogLines(() => destination.dropped())
  const log = createLogger(config.log, { destination, clock })
  const audit = createAudit(log, metrics)
  const sessionState = await openSessionState({ clock, log, config, ...bounds })
  metrics.observeStore(sessionState.kv.links)
  // Anybody can open a callback address. Where sessions are kept in this process, that must not push one of them out.
  const usedStates = openMemoryKeyValue({ clock, log, maxEntries: most })
  const tunnels = createOpenTunnels()
  // Whoever ended a session, and on whatever process: what it holds open ends too.
  const { revocations } = sessionState
  revocations.onMark(() => tunnels.endCovered(({ session }) => revocations.covers(session, handleOf(session.id))))
  const runOut = tellOnce(({ identity, id: sessionId }, reason) =>
    audit({ event: 'session_ended', identity, sessionId, reason }),
  )
  const world: World = {
    clock,
    log,
    sessionState,
    onRunOut: runOut,
    onRenewal: renewalEvents(audit, metrics, (id) => tunnels.endSession(id)),
  }
  const open = (next: Config): Serving => createServing(openRuntime(next, world), { audit, tunnels })

  const retired = createRetirement(log)
  let serving = open(config)
  let routes = observe(serving, metrics)
  let configuredAt = clock.now()
  let problem: string | undefined
  const observer = createTraffic({
    openExchange: createExchanges(randomToken(4), config.log.access ? () => performance.now() : () => 0),
    metrics: (): RouteMetrics => routes,
    accessLog: createAccessLog(config.log, destination, clock),
    accessLogged: config.log.access,
    audit,
    log,
    monotonic: () => performance.now(),
  })

  return {
    parts: {
      serving: () => serving,
      observer,
      flights: createCallbackFlights(sessionState.shared ? sessionState.kv : usedStates),
      providerLogout: createProviderLogout(sessionState),
      tunnels,
      witness: createIngressWitness(),
    },
    log,
    metrics,
    version,
    configuredAt: () => configuredAt,
    reloadProblem: () => problem,
    swap(next) {
      const opened = open(next)
      try {
        sessionState.follow(next)
      } catch (error) {
        void opened.close()
        throw error
      }
      const old = serving
      routes = observe(opened, metrics)
      serving = opened
      configuredAt = clock.now()
      problem = undefined
      metrics.countReload('ok')
      log.info({ configHash: next.hash }, 'configuration reloaded')
      retired.add(old, retireAfter ?? longestDecision(old.config))
    },
    refuseReload(error) {
      problem = error instanceof Error ? error.message : String(error)
      metrics.countReload('failed')
      log.error({ err: error }, 'the new configuration is not good; the running one stays')
    },
    sweep() {
      const now = clock.now()
      const { session: rules } = serving.config
      tunnels.sweep((live) => {
        // Whoever comes with its cookie next ends the session; what is open must not wait for that.
        if (outlivesProvider(live.session, now)) return true
        if (!isOver(live, now, rules)) return false
        const why = runOutOf(live, now, rules)
        // Idle here: with another store the session may be busy at another replica.
        if (why === 'lifetime' || rules.store === 'memory') runOut(live.session, why)
        return true
      }, now)
    },
    async close() {
      await Promise.all([serving.close(), retired.close()])
      await Promise.all([sessionState.close(), usedStates.close()])
      await destination.close()
    },
  }
}

function observe(serving: Serving, metrics: Metrics): RouteMetrics {
  metrics.observeCaches({ session: serving.sessions.cacheStatistics, bearer: serving.bearer.cacheStatistics })
  return metrics.forRoutes(serving.config.routes.map(({ name }) => name))
}

/** A refresh that fails is worth an audit line; one that ends a session ends its websockets too. */
function renewalEvents(audit: Audit, metrics: Metrics, endTunnels: (id: string) => void): World['onRenewal'] {
  return (outcome: RenewalOutcome, { identity, id: sessionId }: Session, detail: string) => {
    if (outcome === 'renewed') {
      metrics.countRefresh('ok')
      return
    }
    const errorClass = outcome === 'ended' ? 'terminal' : outcome
    audit({ event: 'refresh_failed', identity, sessionId, errorClass, detail })
    if (outcome !== 'ended') return
    audit({ event: 'session_ended', identity, sessionId, reason: 'refresh' })
    endTunnels(sessionId)
  }
}
