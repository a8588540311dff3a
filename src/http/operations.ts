/** The operations listener: what Kubernetes, Prometheus and `doorward doctor` ask. It knows nobody's session. */
import Fastify, { type FastifyInstance } from 'fastify'
import type { IngressStatus } from './forward-auth/ingress-witness.ts'

/** Functions, so that the answer is always that of the runtime which is current when somebody asks. */
export interface OperationsParts {
  status(): Status
  readiness(): Readiness | Promise<Readiness>
  readonly metrics: { readonly contentType: string; render(): Promise<string> }
}

export interface Status {
  readonly version: string
  /** `Config.hash`. */
  readonly configHash: string
  /** Milliseconds since the epoch: when the process started, and when the current config took over. */
  readonly startedAt: number
  readonly configuredAt: number
  readonly store: string
  readonly providers: readonly ProviderStatus[]
  /** Keyed fingerprints by place in the file: `doctor` compares them with what it reads itself. */
  readonly secrets: Readonly<Record<string, string>>
  /** Who asked the forward-auth listener; left out where there is none. */
  readonly forwardAuth?: IngressStatus
  /** Why the last reload changed nothing, if it did not. */
  readonly reloadProblem?: string
}

export interface ProviderStatus {
  readonly name: string
  readonly issuer: string
  readonly state: 'unknown' | 'ready' | 'unreachable'
  readonly problem?: string
}

export interface Readiness {
  /** False before the first request may come and while draining; a provider that is down is told, not fatal. */
  readonly ready: boolean
  readonly dependencies: Readonly<Record<string, DependencyState>>
}

export interface DependencyState {
  readonly ok: boolean
  readonly detail?: string
}

/** GET and HEAD alone; anything else is a 404 in JSON. The caller listens and closes. */
export function buildOperations({ status, readiness, metrics }: OperationsParts): FastifyInstance {
  const app = Fastify({ logger: false, return503OnClosing: false, forceCloseConnections: 'idle' })
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
  // Alive means that the event loop turns; whether we can serve is /readyz, or a restart would heal nothing.
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const now = await readiness()
    return reply.code(now.ready ? 200 : 503).send(now)
  })
  app.get('/status', async () => {
    const { startedAt, configuredAt, ...rest } = status()
    return { ...rest, startedAt: isoOf(startedAt), configuredAt: isoOf(configuredAt) }
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()))
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'not_found', paths: ['/healthz', '/readyz', '/status', '/metrics'] }),
  )
  app.setErrorHandler((error, _request, reply) => {
    const status = isClientError(error) ? 400 : 500
    return reply.code(status).send({ error: status === 400 ? 'bad_request' : 'internal' })
  })
  return app
}

const isoOf = (time: number): string => new Date(time).toISOString()

const isClientError = (error: unknown): boolean =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500
