import type { HeaderNames } from './header-names.ts'

/** Where a request came from, as this gateway knows it; never what the client says. */
export interface Forwarded {
  /** Address of the client, without a port: `203.0.113.7` or `2001:db8::1`. */
  readonly for: string
  readonly host: string
  readonly proto: 'http' | 'https'
  readonly port: string
  /** What the route strips from the path, so that an application can build links; only ever from the file. */
  readonly prefix?: string | undefined
}

export interface RequestHeaderRules {
  readonly names: HeaderNames
  /** What the upstream gets as Host. */
  readonly host: string
  /** The Cookie header without the cookies that stay here; undefined where nothing is left. */
  readonly cookie: string | undefined
  readonly forwarded: Forwarded
  /** Name, value, name, value, …: added last, so that nothing a client sends can take its place. */
  readonly identity: readonly string[]
  /** Replaces the client's own Authorization: Basic or Bearer credentials for the upstream. */
  readonly authorization?: string | undefined
  /** Let the client's own Authorization through. */
  readonly forwardAuthorization: boolean
}

/**
 * The headers for the upstream as a flat array: hop-by-hop and nominated ones removed first, then managed ones,
 * then ours added (RFC 9110 7.6.1; the order is what CVE-2026-33805 got wrong). Names keep their spelling,
 * repeated headers their order.
 *
 * @param raw `IncomingMessage.rawHeaders`
 */
export function requestHeaders(raw: readonly string[], rules: RequestHeaderRules): string[] {
  const { names, forwardAuthorization } = rules
  const passed: string[] = ['Host', rules.host]
  let connection: string | undefined
  let authorization = rules.authorization
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    const value = raw[i + 1]!
    const kind = names.kindOf(name)
    if (kind === 'ordinary' || kind === 'length') passed.push(name, value)
    else if (kind === 'connection') connection = connection === undefined ? value : `${connection},${value}`
    // The first of several is the one that was judged.
    else if (kind === 'authorization' && forwardAuthorization) authorization ??= value
    else if (kind === 'subprotocols') pushSubprotocols(passed, name, value, forwardAuthorization)
  }
  const nominated = nominatedBy(connection)
  const kept = nominated === undefined ? passed : withoutNominated(passed, nominated, names)
  if (authorization !== undefined) kept.push('Authorization', authorization)
  if (rules.cookie !== undefined) kept.push('Cookie', rules.cookie)
  pushForwarded(kept, rules.forwarded)
  for (const text of rules.identity) kept.push(text)
  return kept
}

/** Names that a Connection header makes hop-by-hop, in lower case; undefined for the everyday values. */
export function nominatedBy(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  const nominated = new Set<string>()
  for (const token of connection.toLowerCase().split(',')) {
    const name = token.trim()
    if (name !== '' && name !== 'keep-alive' && name !== 'close' && name !== 'upgrade') nominated.add(name)
  }
  return nominated.size === 0 ? undefined : nominated
}

/** Only what the client itself added can be nominated away: never the framing, never what we add afterwards. */
function withoutNominated(passed: string[], nominated: ReadonlySet<string>, names: HeaderNames): string[] {
  const kept: string[] = []
  for (let i = 0; i < passed.length; i += 2) {
    const name = passed[i]!
    if (names.kindOf(name) === 'ordinary' && nominated.has(name.toLowerCase())) continue
    kept.push(name, passed[i + 1]!)
  }
  return kept
}

/** Kubernetes takes a bearer token out of the websocket subprotocols: an Authorization header by another name. */
export function pushSubprotocols(passed: string[], name: string, value: string, forwardAuthorization: boolean): void {
  if (forwardAuthorization || !/bearer\.authorization/i.test(value)) {
    passed.push(name, value)
    return
  }
  const harmless = value
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !/^base64url\.bearer\.authorization\./i.test(protocol))
  if (harmless.length > 0) passed.push(name, harmless.join(', '))
}

/** The whole family is rebuilt: an upstream that reads any member reads our word. */
function pushForwarded(headers: string[], forwarded: Forwarded): void {
  headers.push(
    'X-Forwarded-For',
    forwarded.for,
    'X-Forwarded-Host',
    forwarded.host,
    'X-Forwarded-Proto',
    forwarded.proto,
    'X-Forwarded-Port',
    forwarded.port,
    'Forwarded',
    `for=${forwardedNode(forwarded.for)};host=${quoted(forwarded.host)};proto=${forwarded.proto}`,
  )
  if (forwarded.prefix !== undefined) headers.push('X-Forwarded-Prefix', forwarded.prefix)
}

/** RFC 7239 6: IPv6 addresses in brackets, and quoted for their colons. */
const forwardedNode = (address: string): string => (address.includes(':') ? `"[${address}]"` : quoted(address))

/** RFC 9110 5.6.4. */
const quoted = (value: string): string =>
  /^[\w!#$%&'*+.^`|~-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`
