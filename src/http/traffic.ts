import { GatewayError } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import type { Log } from '../core/log.ts'
import type { Verdict } from '../core/verdict.ts'
import type { AccessLog } from '../telemetry/access-log.ts'
import type { Audit } from '../telemetry/audit.ts'
import type { RouteMetrics } from '../telemetry/metrics.ts'
import type { Exchange, OpenExchange } from './exchange.ts'
import type { Observer } from './observer.ts'
import type { RequestHead } from './request-reading.ts'

export interface TrafficParts {
  readonly openExchange: OpenExchange
  readonly metrics: () => RouteMetrics
  readonly accessLog: AccessLog
  /** False where the file turns the access log off: then nothing is put together for it. */
  readonly accessLogged: boolean
  readonly audit: Audit
  readonly log: Log
  readonly monotonic: () => number
}

/** Turns what the doors tell into counters, access lines and audit events. */
export function createTraffic(parts: TrafficParts): Observer {
  const { log, audit, monotonic } = parts
  return {
    open: parts.openExchange,
    decided(exchange, { verdict, route }) {
      exchange.verdict = verdict
      exchange.route = route?.name
      parts.metrics().verdict(route?.index, verdict.kind, verdict.kind === 'allow' ? undefined : verdict.reason)
      if (verdict.kind === 'forbid') {
        const unmet = verdict.unmet.map(({ requirement }) => requirement)
        const { requestId, address } = exchange
        audit({
          event: 'denied',
          requestId,
          address,
          identity: verdict.identity,
          route: route?.name ?? '',
          reason: verdict.reason,
          unmet,
        })
      }
    },
    failed(exchange, error) {
      const { requestId, address, front, route } = exchange
      const fields = { requestId, address, front, route }
      if (!(error instanceof GatewayError)) log.error({ ...fields, err: error }, 'unexpected error')
      else if (error.status >= 500) log.warn({ ...fields, code: error.code, err: error }, error.message)
      else log.info({ ...fields, code: error.code }, error.message)
    },
    upstreamAnswered({ verdict }, status, milliseconds) {
      if (verdict?.kind !== 'allow') return
      const metrics = parts.metrics()
      metrics.upstream(verdict.route, milliseconds / 1000)
      if (status === 401) metrics.upstreamUnauthorized(verdict.route)
    },
    upgradeOpened: ({ verdict }) =>
      verdict?.kind === 'allow' ? parts.metrics().upgradeOpened(verdict.route) : () => {},
    finished(exchange, status) {
      if (parts.accessLogged) parts.accessLog(entryOf(exchange, status, monotonic()))
    },
  }
}

function entryOf(exchange: Exchange<RequestHead>, status: number, now: number) {
  const { request, front, requestId, startedAt, target, address, route, verdict } = exchange
  return {
    front,
    requestId,
    method: target?.method ?? request.method ?? '',
    host: target?.host ?? '',
    path: target?.path ?? request.url ?? '',
    status,
    latency: now - startedAt,
    address,
    route,
    verdict: verdict?.kind,
    reason: verdict === undefined || verdict.kind === 'allow' ? undefined : verdict.reason,
    user: verdict && identityOf(verdict)?.subject,
  }
}

const identityOf = (verdict: Verdict): Identity | undefined =>
  verdict.kind === 'allow' || verdict.kind === 'forbid' ? verdict.identity : undefined
