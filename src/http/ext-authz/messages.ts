/** The messages of ext_authz as they are in memory, and how they become bytes. Field names are those of the .proto. */
import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/proto-loader'

/** What a gateway tells of a request. Everything may be missing: this is foreign data. */
export interface CheckRequest {
  readonly attributes?: {
    readonly source?: { readonly address?: { readonly socket_address?: { readonly address?: string } } }
    readonly request?: { readonly http?: HttpAttributes }
  }
}

export interface HttpAttributes {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly headers?: readonly { readonly key?: string; readonly value?: string }[]
  /** Instead of `headers`, where the gateway sends them raw. */
  readonly header_map?: {
    readonly headers?: readonly { readonly key?: string; readonly value?: string; readonly raw_value?: Buffer }[]
  }
}

export interface HeaderValueOption {
  readonly header: { readonly key: string; readonly value: string }
  readonly append_action: 'APPEND_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS_OR_ADD'
}

export interface CheckResponse {
  /** A code of google.rpc.Code: 0 is yes, anything else is no. */
  readonly status: { readonly code: number }
  readonly denied_response?: {
    readonly status: { readonly code: number }
    readonly headers: readonly HeaderValueOption[]
    readonly body: string
  }
  readonly ok_response?: {
    /** For the upstream. */
    readonly headers: readonly HeaderValueOption[]
    /** Taken away after `headers` were set. */
    readonly headers_to_remove: readonly string[]
    /** For the client. */
    readonly response_headers_to_add: readonly HeaderValueOption[]
  }
}

export const authorizationService = 'envoy.service.auth.v3.Authorization'
export const healthService = 'grpc.health.v1.Health'

export interface Codec {
  /** @throws Error where the bytes are no such message */
  decode(bytes: Buffer): CheckRequest
  encode(response: CheckResponse): Buffer
}

export interface Messages {
  readonly authorization: ServiceDefinition
  readonly health: ServiceDefinition
  readonly check: Codec
}

/** Reads the .proto files; asked for only where the file names the listener. */
export async function loadMessages(): Promise<Messages> {
  const { loadSync } = await import('@grpc/proto-loader')
  const files = ['ext-authz.proto', 'health.proto'].map((name) => fileURLToPath(new URL(name, import.meta.url)))
  const loaded = loadSync(files, { keepCase: true, longs: Number, enums: String })
  // What a package holds under the name of a service is that service.
  const authorization = loaded[authorizationService] as ServiceDefinition
  const health = loaded[healthService] as ServiceDefinition
  const { requestDeserialize, responseSerialize } = authorization.Check!
  return {
    authorization,
    health,
    check: { decode: (bytes) => requestDeserialize(bytes) as CheckRequest, encode: responseSerialize },
  }
}
