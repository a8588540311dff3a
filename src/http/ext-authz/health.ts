import type { ServerUnaryCall, ServerWritableStream, sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js'
import { authorizationService, healthService } from './messages.ts'

/** grpc.health.v1, for anybody: whether this process takes questions is no secret. */
export interface Health {
  readonly service: UntypedServiceImplementation
  /** Tells whoever watches that this process goes away, and everybody who asks from now on. */
  leave(): void
  /** Ends the watches, or they would hold up the shutdown. */
  end(): void
}

interface HealthCheckRequest {
  readonly service?: string
}

interface HealthCheckResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN'
}

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>

/** google.rpc.Code */
const notFound = 5
/** The empty name is the whole server. */
const known = new Set(['', authorizationService, healthService])

export function createHealth(): Health {
  const watches = new Set<Watch>()
  let serving = true
  const status = (): HealthCheckResponse => ({ status: serving ? 'SERVING' : 'NOT_SERVING' })

  return {
    service: {
      Check(
        { request }: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
        answer: sendUnaryData<HealthCheckResponse>,
      ) {
        if (known.has(request.service ?? '')) answer(null, status())
        else answer({ code: notFound, details: 'no such service' })
      },
      Watch(call: Watch) {
        if (!known.has(call.request.service ?? '')) {
          // The protocol keeps such a watch open: the service might come.
          call.write({ status: 'SERVICE_UNKNOWN' })
        } else call.write(status())
        watches.add(call)
        call.on('cancelled', () => watches.delete(call))
        call.on('close', () => watches.delete(call))
      },
    },
    leave() {
      if (!serving) return
      serving = false
      for (const watch of watches) if (known.has(watch.request.service ?? '')) watch.write(status())
    },
    end() {
      for (const watch of watches) watch.end()
      watches.clear()
    },
  }
}
