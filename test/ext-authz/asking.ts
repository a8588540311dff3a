/** Asks as Envoy does over gRPC, and does with the answer what Envoy does. */
import { fileURLToPath } from 'node:url'
import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { CheckRequest, CheckResponse, HeaderValueOption } from '../../src/http/ext-authz/messages.ts'
import type { HeaderLine } from '../attacks/wire.ts'
import type { ClientRequest } from '../contracts/gateway-wires.ts'

export interface Outcome {
  /** 200 where the request goes to the application. */
  readonly status: number
  readonly body: string
  /** What the client gets with a no; on a yes, what is added to the application's answer. */
  readonly answer: readonly HeaderLine[]
  /** What the application gets; undefined on a no. */
  readonly upstream: readonly HeaderLine[] | undefined
  header(name: string): string | undefined
}

export interface Asking {
  /** @throws ServiceError where the call itself fails */
  check(request: CheckRequest): Promise<Outcome>
  /** @param untold lines of the client that the gateway does not tell of (`allowed_headers`) */
  ask(request: ClientRequest, alter?: (http: Http) => Http, untold?: readonly HeaderLine[]): Promise<Outcome>
  /** Asks and gives up. @throws ServiceError DEADLINE_EXCEEDED */
  giveUp(request: ClientRequest, afterMilliseconds: number): Promise<unknown>
  /** Bytes of a message that need not be one. */
  raw(method: string, bytes: Buffer): Promise<Buffer>
  health(service?: string): Promise<string>
  /** What comes until the server ends it. */
  watch(service?: string): AsyncIterable<{ readonly status: string }>
  close(): void
}

export interface Http {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  /** Joined in a map unless `isRaw`. */
  readonly headers: readonly HeaderLine[]
  readonly isRaw?: boolean
  readonly source?: string
}

const files = ['ext-authz.proto', 'health.proto'].map((name) =>
  fileURLToPath(new URL(`../../src/http/ext-authz/${name}`, import.meta.url)),
)
// The types of a package that is loaded at run time.
const definition = loadSync(files, { keepCase: true, enums: String, arrays: true })
const loaded = loadPackageDefinition(definition) as unknown as {
  envoy: { service: { auth: { v3: { Authorization: new (...of: ConstructorParameters<typeof Client>) => Stub } } } }
  grpc: { health: { v1: { Health: new (...of: ConstructorParameters<typeof Client>) => HealthStub } } }
}
type Answered<T> = (error: ServiceError | null, value?: T) => void
type Stub = Client & {
  Check(request: CheckRequest, answered: Answered<CheckResponse>): void
  Check(request: CheckRequest, options: { readonly deadline: number }, answered: Answered<CheckResponse>): void
}
type Status = { readonly status: string }
type HealthStub = Client & {
  Check(request: { service: string }, answered: Answered<Status>): void
  Watch(request: { service: string }): AsyncIterable<Status>
}

export function openAsking(port: number): Asking {
  const address = `127.0.0.1:${port}`
  const plain = credentials.createInsecure()
  const stub = new loaded.envoy.service.auth.v3.Authorization(address, plain)
  const healthStub = new loaded.grpc.health.v1.Health(address, plain)
  const check = async (request: CheckRequest, untold: readonly HeaderLine[] = []) =>
    outcomeOf(
      [...linesFrom(request), ...untold],
      await called<CheckResponse>((answered) => stub.Check(request, answered)),
    )
  return {
    check,
    ask: (request, alter = (http) => http, untold = []) => check(checkOf(alter(httpOf(request))), untold),
    giveUp: (request, after) =>
      called<CheckResponse>((answered) =>
        stub.Check(checkOf(httpOf(request)), { deadline: Date.now() + after }, answered),
      ),
    raw: (method, bytes) =>
      called<Buffer>((answered) =>
        stub.makeUnaryRequest(
          method,
          (same: Buffer) => same,
          (same) => same,
          bytes,
          answered,
        ),
      ),
    health: async (service = '') =>
      (await called<Status>((answered) => healthStub.Check({ service }, answered))).status,
    watch: (service = '') => healthStub.Watch({ service }),
    close() {
      stub.close()
      healthStub.close()
    },
  }
}

const called = <T>(call: (answered: Answered<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value!))))

const hopByHop = /^(?:keep-alive|te|trailers?|transfer-encoding|proxy-connection)$/i

/** As Envoy has the request when its filters run: lower-case names, pseudo headers, its own word on the client. */
export function httpOf({
  method = 'GET',
  host = 'app.example.com',
  uri,
  headers = [],
  cookies = [],
}: ClientRequest): Http {
  const passed = headers.filter(([name]) => !hopByHop.test(name))
  return {
    method,
    path: uri,
    host,
    headers: [
      [':method', method],
      [':path', uri],
      [':authority', host],
      [':scheme', 'http'],
      ...passed.map(([name, value]): HeaderLine => [name.toLowerCase(), value]),
      ...cookies.map((cookie): HeaderLine => ['cookie', cookie]),
      ['x-forwarded-for', '203.0.113.9'],
      ['x-forwarded-proto', 'http'],
      ['x-request-id', 'a-b-c'],
    ],
    source: '203.0.113.9',
  }
}

export function checkOf({ method, path, host, headers, isRaw, source }: Http): CheckRequest {
  const http = {
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
    ...(host !== undefined && { host }),
    ...(isRaw
      ? { header_map: { headers: headers.map(([key, value]) => ({ key, raw_value: Buffer.from(value, 'latin1') })) } }
      : { headers: joined(headers).map(([key, value]) => ({ key, value })) }),
  }
  const from = source === undefined ? {} : { source: { address: { socket_address: { address: source } } } }
  return { attributes: { ...from, request: { http } } }
}

/** Lines of one name become one by a comma, cookies included. */
function joined(lines: readonly HeaderLine[]): HeaderLine[] {
  const values = new Map<string, string>()
  for (const [name, value] of lines) values.set(name, values.has(name) ? `${values.get(name)},${value}` : value)
  return [...values]
}

function outcomeOf(lines: HeaderLine[], response: CheckResponse): Outcome {
  const isYes = response.status.code === 0
  const { ok_response: ok, denied_response: no } = response
  const answer = linesOf(isYes ? ok?.response_headers_to_add : no?.headers)
  return {
    status: isYes ? 200 : (no?.status.code ?? 403),
    body: no?.body ?? '',
    answer,
    upstream: isYes ? changed(lines, ok) : undefined,
    header: (name) => answer.find(([own]) => own === name)?.[1],
  }
}

const linesOf = (options: readonly HeaderValueOption[] = []): HeaderLine[] =>
  options.map(({ header }) => [header.key.toLowerCase(), header.value])

function linesFrom({ attributes }: CheckRequest): HeaderLine[] {
  const http = attributes?.request?.http
  const plain = (http?.headers ?? []).map(({ key = '', value = '' }): HeaderLine => [key, value])
  const raw = http?.header_map?.headers ?? []
  return [
    ...plain,
    ...raw.map(({ key = '', raw_value = Buffer.of() }): HeaderLine => [key, raw_value.toString('latin1')]),
  ]
}

/** Sets first, removes afterwards (seen in its source and on its wire); `:` and Host cannot be removed. */
function changed(lines: HeaderLine[], ok: CheckResponse['ok_response']): HeaderLine[] {
  let headers = lines
  for (const { header, append_action } of ok?.headers ?? []) {
    const name = header.key.toLowerCase()
    if (append_action === 'OVERWRITE_IF_EXISTS_OR_ADD') headers = headers.filter(([own]) => own !== name)
    headers = [...headers, [name, header.value]]
  }
  const removed = new Set((ok?.headers_to_remove ?? []).map((name) => name.toLowerCase()))
  return headers.filter(([name]) => name.startsWith(':') || name === 'host' || !removed.has(name))
}
