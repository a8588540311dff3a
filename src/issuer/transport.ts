/** Owns the wire to one identity provider: server-to-server calls with limits on time, size and trust. */
import { readFileSync, statSync } from 'node:fs'
import type { LookupFunction } from 'node:net'
import { getCACertificates } from 'node:tls'
import { Agent, buildConnector, type Dispatcher, request } from 'undici'
import { GatewayError } from '../core/errors.ts'
import { isLoopback } from '../core/urls.ts'
import { type WireFault, wireCodeOf, wireFaultOf } from '../core/wire-fault.ts'
import { internalAddress } from './internal-url.ts'

export interface TransportOptions {
  readonly issuer: string
  readonly internalUrl: URL | undefined
  /** PEM file with further certificate authorities; read at every connection, so it may appear or change later. */
  readonly caFile: string | undefined
  /** Whole deadline of one call, in milliseconds. */
  readonly timeout: number
  readonly allowInsecureHttp: boolean
  /** Resolves names; the system's unless given. */
  readonly lookup?: LookupFunction | undefined
}

export interface TransportRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

export interface Transport {
  /**
   * One call, never repeated and never redirected. The answer's body is complete and at most 1 MiB.
   * @throws ProviderUnreachable
   */
  fetch(url: URL | string, init?: TransportRequest): Promise<Response>
  /** Where a call to this address really goes: `internalUrl` may stand in for the issuer's server. */
  addressOf(url: URL): URL
  /** Whether the file allows calls to this address: https, loopback, `internalUrl`, or `allowInsecureHttp`. */
  allows(url: URL): boolean
  close(): Promise<void>
}

/** What went wrong on the wire. Bounded: it labels metrics. */
export type TransportFault =
  | 'dns'
  | 'refused'
  | 'reset'
  | 'tls'
  | 'timeout'
  | 'ca_file'
  | 'too_large'
  | 'insecure'
  | 'other'

/** No usable answer came. The message is for the log: address, cause code, what to do. */
export class ProviderUnreachable extends GatewayError {
  readonly fault: TransportFault

  constructor(fault: TransportFault, detail: string, options?: ErrorOptions) {
    super('provider_unreachable', detail, options)
    this.name = 'ProviderUnreachable'
    this.fault = fault
  }
}

const connectTimeout = 2000
const bodyLimit = 1024 * 1024

export function openTransport(options: TransportOptions): Transport {
  const issuer = new URL(options.issuer)
  // More than refreshes take at a time (gate/refresh-queue.ts): a sign-in finds room beside them.
  const agent = new Agent({ connect: connectorFor(options), connections: 64, allowH2: false })
  const allows = (url: URL): boolean =>
    url.protocol === 'https:' ||
    (url.protocol === 'http:' &&
      (options.allowInsecureHttp || isLoopback(url) || url.origin === options.internalUrl?.origin))

  const addressOf = (url: URL): URL => internalAddress(url, issuer, options.internalUrl)

  return {
    allows,
    addressOf,
    fetch: async (url, init = {}) => {
      const address = addressOf(new URL(url))
      if (!allows(address)) throw insecure(address)
      return call(agent, address, init, options.timeout)
    },
    close: () => agent.destroy(),
  }
}

async function call(agent: Agent, url: URL, init: TransportRequest, timeout: number): Promise<Response> {
  const deadline = AbortSignal.timeout(timeout)
  try {
    const answer = await request(url, {
      dispatcher: agent,
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      // Nothing is decompressed, so a small answer cannot become a large one.
      headers: { ...init.headers, 'accept-encoding': 'identity' },
      ...(init.body !== undefined && { body: init.body }),
      signal: init.signal === undefined ? deadline : AbortSignal.any([deadline, init.signal]),
    })
    const body = await readLimited(answer.body, url)
    return new Response(hasNoBody(answer.statusCode) ? null : body, {
      status: answer.statusCode,
      headers: headersOf(answer.headers),
    })
  } catch (error) {
    throw error instanceof ProviderUnreachable ? error : unreachable(error, url, timeout)
  }
}

const hasNoBody = (status: number): boolean => status === 204 || status === 205 || status === 304

async function readLimited(body: Dispatcher.ResponseData['body'], url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    const bytes: Buffer = Buffer.from(chunk)
    size += bytes.length
    if (size > bodyLimit) throw new ProviderUnreachable('too_large', `${placeOf(url)} answered more than 1 MiB`)
    chunks.push(bytes)
  }
  return Uint8Array.from(Buffer.concat(chunks))
}

function headersOf(raw: Dispatcher.ResponseData['headers']): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) headers.append(name, one)
  }
  return headers
}

/** Reads the CA file at each connection; the same content gives the same connector, which resumes TLS sessions. */
function connectorFor({ caFile, lookup }: TransportOptions): buildConnector.connector {
  const usual = { timeout: connectTimeout, allowH2: false, ...(lookup !== undefined && { lookup }) }
  if (caFile === undefined) return buildConnector(usual)
  let seen: { version: string; connect: buildConnector.connector } | undefined
  return (target, callback) => {
    try {
      const { mtimeMs, size, ino } = statSync(caFile)
      const version = `${mtimeMs} ${size} ${ino}`
      if (seen?.version !== version) {
        const ca = [...getCACertificates('default'), readFileSync(caFile, 'utf8')]
        seen = { version, connect: buildConnector({ ...usual, ca }) }
      }
      seen.connect(target, callback)
    } catch (cause) {
      callback(
        new ProviderUnreachable('ca_file', `caFile ${caFile} cannot be read: ${wireCodeOf(cause)}`, { cause }),
        null,
      )
    }
  }
}

function insecure(url: URL): ProviderUnreachable {
  const hint = 'write `allowInsecureHttp: true`, or use https'
  return new ProviderUnreachable('insecure', `${placeOf(url)} is plain http off this machine: ${hint}`)
}

function unreachable(error: unknown, url: URL, timeout: number): ProviderUnreachable {
  const fault = labels[wireFaultOf(error)]
  const why = fault === 'timeout' ? `no answer within ${timeout} ms` : wireCodeOf(error)
  return new ProviderUnreachable(fault, `${placeOf(url)}: ${why}${hintFor(fault)}`, { cause: error })
}

function hintFor(fault: TransportFault): string {
  if (fault === 'tls') return ' (a private certificate authority goes into `caFile`)'
  if (fault === 'dns') return ' (inside a cluster `internalUrl` names the service)'
  return ''
}

const labels: Readonly<Record<WireFault, TransportFault>> = {
  dns: 'dns',
  refused: 'refused',
  unreachable: 'refused',
  timeout: 'timeout',
  'self-signed': 'tls',
  'unknown-authority': 'tls',
  'wrong-name': 'tls',
  expired: 'tls',
  'not-yet-valid': 'tls',
  'not-tls': 'tls',
  tls: 'tls',
  reset: 'reset',
  other: 'other',
}

/** Where a call went, without its query: that may hold codes. */
const placeOf = (url: URL): string => url.origin + url.pathname
