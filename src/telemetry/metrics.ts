/** What Prometheus reads. One per process: a reload swaps the runtime and goes on counting. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { RouteIndex } from '../core/verdict.ts'
import { type ReadStoreLinks, storeMetrics } from './store-metrics.ts'
import { createVerdictCounts } from './verdict-counts.ts'

export interface Metrics {
  /** Counters for the routes of one runtime, by index. Routes that keep their name keep their counts. */
  forRoutes(names: readonly string[]): RouteMetrics
  /** @param outcome `ok`, or a code of core/errors.ts */
  countLogin(outcome: string): void
  countLogout(by: string): void
  countRefresh(outcome: 'ok' | 'terminal' | 'operator' | 'transient'): void
  countSessionEnd(reason: string): void
  countReload(outcome: 'ok' | 'failed'): void
  /** Read at each scrape; a new runtime replaces those of the last. */
  observeCaches(caches: Readonly<Record<string, () => CacheFigures>>): void
  /** Read at each scrape. */
  readonly observeStore: (read: ReadStoreLinks) => void
  /** Read at each scrape. */
  observeDroppedLogLines(dropped: () => number): void
  readonly contentType: string
  render(): Promise<string>
}

export interface RouteMetrics {
  /** Cheap enough for every request: two look-ups and an addition. */
  verdict(route: RouteIndex | undefined, verdict: string, reason: string | undefined): void
  /** @param seconds until the upstream's headers had come */
  upstream(route: RouteIndex, seconds: number): void
  /** The upstream said 401 to a request that we had let in: both check credentials, and disagree. */
  upstreamUnauthorized(route: RouteIndex): void
  /** @returns a function to call once when the upgraded connection has ended */
  upgradeOpened(route: RouteIndex): () => void
}

export interface CacheFigures {
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
}

export interface MetricsOptions {
  readonly version: string
  /** Memory, CPU and event loop of this process; once per process. */
  readonly processMetrics?: boolean
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Every label is bounded: names and codes of ours, routes of the file; never a path, host, user or address. */
export function createMetrics({ version, processMetrics = true }: MetricsOptions): Metrics {
  const register = new Registry()
  if (processMetrics) collectDefaultMetrics({ register })
  const build = new Gauge({ ...about('build_info', 'Version that runs', register), labelNames: ['version'] })
  build.set({ version }, 1)
  const logins = counter(register, 'logins_total', 'Finished logins; ok or why not', 'outcome')
  const logouts = counter(register, 'logouts_total', 'Sessions ended by logout, by who asked', 'by')
  const refreshes = counter(register, 'refreshes_total', 'Token refreshes; ok or the class of the error', 'outcome')
  const ends = counter(register, 'sessions_ended_total', 'Sessions that ended without a logout', 'reason')
  const reloads = counter(register, 'config_reloads_total', 'Reloads of the configuration', 'outcome')
  return {
    forRoutes: routeMetrics(register),
    countLogin: (outcome) => logins.inc({ outcome }),
    countLogout: (by) => logouts.inc({ by }),
    countRefresh: (outcome) => refreshes.inc({ outcome }),
    countSessionEnd: (reason) => ends.inc({ reason }),
    countReload: (outcome) => reloads.inc({ outcome }),
    observeCaches: cacheMetrics(register),
    observeStore: storeMetrics(register),
    observeDroppedLogLines: droppedLines(register),
    contentType: register.contentType,
    render: () => register.metrics(),
  }
}

const about = (name: string, help: string, register: Registry) => ({
  name: `doorward_${name}`,
  help,
  registers: [register],
})

const counter = <Label extends string>(register: Registry, name: string, help: string, label: Label) =>
  new Counter({ ...about(name, help, register), labelNames: [label] as const })

function routeMetrics(register: Registry): Metrics['forRoutes'] {
  const counts = createVerdictCounts()
  new Counter({
    ...about('verdicts_total', 'Access decisions', register),
    labelNames: ['route', 'verdict', 'reason'],
    collect() {
      this.reset()
      for (const { route, verdict, reason, count } of counts.read()) this.inc({ route, verdict, reason }, count)
    },
  })
  const upstream = new Histogram({
    ...about('upstream_duration_seconds', 'Time until the headers of the upstream', register),
    labelNames: ['route'],
    buckets,
  })
  const unauthorized = counter(
    register,
    'upstream_unauthorized_total',
    'Allowed requests that the upstream answered with 401',
    'route',
  )
  const upgrades = new Gauge({
    ...about('open_upgrades', 'Upgraded connections, websockets mostly', register),
    labelNames: ['route'],
  })
  return (names) => {
    const byRoute = names.map(counts.forRoute)
    const unrouted = counts.forRoute('')
    return {
      verdict: (route, verdict, reason) => (route === undefined ? unrouted : byRoute[route]!)(verdict, reason),
      upstream: (route, seconds) => upstream.observe({ route: names[route]! }, seconds),
      upstreamUnauthorized: (route) => unauthorized.inc({ route: names[route]! }),
      upgradeOpened(route) {
        upgrades.inc({ route: names[route]! })
        return () => upgrades.dec({ route: names[route]! })
      },
    }
  }
}

function cacheMetrics(register: Registry): Metrics['observeCaches'] {
  let sources: Readonly<Record<string, () => CacheFigures>> = {}
  const figures = {
    entries: 'Entries in a cache',
    bytes: 'Bytes that a cache takes',
    hits: 'Look-ups that a cache answered',
    misses: 'Look-ups that a cache could not answer',
  } as const
  const keys: readonly (keyof typeof figures)[] = ['entries', 'bytes', 'hits', 'misses']
  for (const key of keys) {
    const collect = (metric: Counter<'cache'> | Gauge<'cache'>) => {
      metric.reset()
      for (const [cache, read] of Object.entries(sources)) metric.inc({ cache }, read()[key])
    }
    const options = { ...about(`cache_${key}`, figures[key], register), labelNames: ['cache'] as const }
    if (key === 'entries' || key === 'bytes')
      new Gauge({
        ...options,
        collect: function () {
          collect(this)
        },
      })
    else
      new Counter({
        ...options,
        name: `${options.name}_total`,
        collect: function () {
          collect(this)
        },
      })
  }
  return (caches) => {
    sources = caches
  }
}

function droppedLines(register: Registry): Metrics['observeDroppedLogLines'] {
  let read = () => 0
  new Counter({
    ...about('log_lines_dropped_total', 'Log lines lost because nobody read them fast enough', register),
    collect() {
      this.reset()
      this.inc(read())
    },
  })
  return (dropped) => {
    read = dropped
  }
}
