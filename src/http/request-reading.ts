import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { clientAddress, type Networks } from '../core/addresses.ts'
import { GatewayError } from '../core/errors.ts'
import { normaliseHost, readPath, type Target } from '../core/target.ts'
import type { Credentials } from '../gate/decision.ts'
import { isImpersonation } from '../proxy/header-names.ts'
import { refuseUnsafeFraming } from '../proxy/request-framing.ts'
import { type Asker, askerOf } from './asker.ts'

/** What a listener has to know of the world in front of it to read a request. */
export interface Surroundings {
  /** Peers whose X-Forwarded-* is believed. */
  readonly trusted: Networks
  /** The scheme of publicUrl, which counts unless a trusted peer says otherwise. */
  readonly scheme: 'http' | 'https'
  readonly readHost: HostReader
}

/** `normaliseHost`, which remembers the few spellings that come again and again. */
export type HostReader = (raw: string, scheme: 'http' | 'https') => string | undefined

/** Spellings remembered; a flood of strange hosts is read anew each time. */
const mostHosts = 256

export function createHostReader(): HostReader {
  const known = { http: new Map<string, string>(), https: new Map<string, string>() }
  return (raw, scheme) => {
    const before = known[scheme].get(raw)
    if (before !== undefined) return before
    const host = normaliseHost(raw, scheme)
    if (host !== undefined && known[scheme].size < mostHosts) known[scheme].set(raw, host)
    return host
  }
}

/** What is read of a request, whoever brought it: Node's parser, or a gateway that tells about it over gRPC. */
export interface RequestHead {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** The TCP peer. Empty for a socket that is gone already. */
export const peerOf = ({ socket }: RequestHead): string => socket.remoteAddress ?? ''

/** Names and values of a thousand headers: where Node's own limit is. */
const mostRawHeaders = 2_000

/**
 * Refuses what two readers could take in two ways, before anything of it is believed: unclear framing, and repeated
 * Host or Authorization headers, of which Node takes the first and another reader may take the last (RFC 9112 3.2).
 */
export function refuseUnclearHead(request: IncomingMessage): void {
  refuseUnsafeFraming(request)
  const raw = request.rawHeaders
  // Some versions of Node drop what comes after the first thousand, such as the address a proxy adds last.
  if (raw.length >= mostRawHeaders) throw new GatewayError('bad_request', 'a thousand headers or more')
  let hosts = 0
  let authorizations = 0
  for (let i = 0; i < raw.length; i += 2) {
    const { length } = raw[i]!
    if (length === 4 && raw[i]!.toLowerCase() === 'host') hosts++
    else if (length === 13 && raw[i]!.toLowerCase() === 'authorization') authorizations++
  }
  if (hosts !== 1) throw new GatewayError('bad_request', `${hosts} Host headers`)
  if (authorizations > 1) throw new GatewayError('bad_request', `${authorizations} Authorization headers`)
}

/**
 * The proxy strips these headers; an ingress forwards the request itself, with whatever the client sent.
 *
 * @throws GatewayError `impersonation_refused`
 */
export function refuseImpersonation({ rawHeaders }: IncomingMessage): void {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (isImpersonation(rawHeaders[i]!))
      throw new GatewayError('impersonation_refused', `${rawHeaders[i]} from a client`)
  }
}

/**
 * Our own pages are nobody else's: under another spelling (absolute-form, `%5f`, as an upgrade) they would carry a code
 * or a state to an application, and an ingress that asks about them would send people round in circles.
 *
 * @throws GatewayError `not_found`
 */
export function refuseOwnPages(target: Target, basePath: string): void {
  if (!isOwnPage(target, basePath)) return
  throw new GatewayError('not_found', `${basePath}/* is ours: the ingress has to send it to \`listen\` without asking`)
}

/** Whether an address is one of our own pages, however it is spelled: no route of the file applies to it. */
export function isOwnPage({ decodedPath }: Target, basePath: string): boolean {
  if (!decodedPath.startsWith(basePath)) return false
  return decodedPath.length === basePath.length || decodedPath.charCodeAt(basePath.length) === 0x2f
}

/** Proxy mode: the request is the question. */
export function readTarget(request: IncomingMessage, surroundings: Surroundings): Target {
  const { trusted, scheme } = surroundings
  const { headers } = request
  const believed = trusted.has(peerOf(request))
  const proto = believed ? (headers['x-forwarded-proto'] ?? scheme) : scheme
  const host = believed ? (headers['x-forwarded-host'] ?? headers.host) : headers.host
  const uri = originForm(request.url ?? '', headers.host ?? '')
  return targetFrom({ method: request.method ?? '', scheme: proto, host, uri }, surroundings)
}

/** What is asked for, as it was written. */
export interface Question {
  readonly method: string
  readonly scheme: string | readonly string[]
  readonly host: string | readonly string[] | undefined
  /** Raw request target: path and query. */
  readonly uri: string
}

const everyday = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** RFC 9110 5.6.2, of a length that is no log line. */
const token = /^[!#$%&'*+\-.^`|~\w]{1,32}$/

/** Traefik says `wss` of a websocket: a part of the https site that it came from. */
function schemeOf(said: string | readonly string[]): 'http' | 'https' | undefined {
  if (said === 'https' || said === 'wss') return 'https'
  return said === 'http' || said === 'ws' ? 'http' : undefined
}

/** The question in its normal form, whoever brought it. @throws GatewayError where a part is not what it should be */
export function targetFrom(
  { method, scheme: said, host: raw, uri }: Question,
  { readHost }: Pick<Surroundings, 'readHost'>,
): Target {
  const scheme = schemeOf(said)
  if (scheme === undefined) throw new GatewayError('bad_request', 'the scheme is not http or https')
  const host = typeof raw === 'string' ? readHost(raw, scheme) : undefined
  if (host === undefined) throw new GatewayError('host_unknown', 'the Host header is not a host')
  if (!everyday.has(method) && !token.test(method)) throw new GatewayError('bad_request', 'the method is not a token')
  // RFC 9110 9.3.6, 9.3.8: a tunnel through us and an echo of credentials are never what an application needs.
  if (method === 'TRACE' || method === 'CONNECT') throw new GatewayError('method_not_allowed')
  const { path, decodedPath, query, encodedSlash } = readPath(uri)
  return { method, scheme, host, path, decodedPath, query, encodedSlash }
}

/**
 * A client that takes us for a forward proxy sends the whole address (absolute-form, RFC 9112 3.2.2). It is
 * read where it names the very Host of the request, and refused otherwise.
 */
function originForm(url: string, host: string): string {
  if (url.charCodeAt(0) === 0x2f) return url
  const match = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  if (match === null) throw new GatewayError('bad_request', 'the request target is not a path')
  if (match[1]!.toLowerCase() !== host.toLowerCase()) throw new GatewayError('host_unknown', 'target and Host differ')
  return match[2]!.startsWith('/') ? match[2]! : `/${match[2]!}`
}

/** What a request brings to prove itself, read from its headers when the gate asks: most requests need two of these. */
export class RequestCredentials implements Credentials {
  readonly canSetCookie: boolean
  private readonly request: RequestHead
  private readonly method: string
  private readonly trusted: Networks

  /** @param canSetCookie whether a Set-Cookie on an allowed answer reaches the browser */
  constructor(request: RequestHead, method: string, trusted: Networks, canSetCookie: boolean) {
    this.request = request
    this.method = method
    this.trusted = trusted
    this.canSetCookie = canSetCookie
  }

  get cookie(): string | undefined {
    return this.request.headers.cookie
  }

  get authorization(): string | undefined {
    return this.request.headers.authorization
  }

  header(name: string): string | undefined {
    return firstOf(this.request.headers[name])
  }

  get origin(): string | undefined {
    return this.request.headers.origin
  }

  get secFetchSite(): string | undefined {
    return firstOf(this.request.headers['sec-fetch-site'])
  }

  get requestedMethod(): string | undefined {
    return this.request.headers['access-control-request-method']
  }

  get address(): string {
    return clientAddress(peerOf(this.request), firstOf(this.request.headers['x-forwarded-for']), this.trusted)
  }

  get isUpgrade(): boolean {
    return isUpgrade(this.request.headers)
  }

  get asker(): Asker {
    return askerOf(this.method, this.request.headers)
  }

  get isNavigation(): boolean {
    return this.asker === 'navigation'
  }
}

const firstOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value

/** Traefik strips Upgrade from its subrequest; the websocket key stays. */
const isUpgrade = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-websocket-key'] !== undefined ||
  (headers.upgrade !== undefined && /upgrade/i.test(headers.connection ?? ''))
