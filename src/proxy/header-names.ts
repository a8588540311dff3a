/** Which header names mean what on the way to an upstream, under every spelling an upstream could read alike. */
import { foldHeaderName } from '../core/header-name.ts'

/** What becomes of a client's header. `ordinary` passes, `length` passes and frames, all others are dealt with by name. */
export type HeaderKind =
  | 'ordinary'
  | 'length'
  | 'managed'
  | 'hopByHop'
  | 'connection'
  | 'host'
  | 'cookie'
  | 'authorization'
  | 'subprotocols'

export interface HeaderNames {
  /** One Map hit for a name seen before, as written by the client. */
  kindOf(rawName: string): HeaderKind
  /** True where no client may set it: identity, forwarding, or configured on any route. */
  isManaged(rawName: string): boolean
}

/** RFC 9110 7.6.1, the older list of RFC 2616 13.5.1, and what belongs to one connection alone. */
const hopByHop = new Set([
  'keep-alive',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
  // CGI reads a header named Proxy as HTTP_PROXY, the address of an outgoing proxy (CVE-2016-5385).
  'proxy',
])

const special = new Map<string, HeaderKind>([
  ['content-length', 'length'],
  ['connection', 'connection'],
  ['host', 'host'],
  ['cookie', 'cookie'],
  ['authorization', 'authorization'],
  ['sec-websocket-protocol', 'subprotocols'],
  ...[...hopByHop].map((name) => [name, 'hopByHop'] as const),
])

/** Names, other than prefixes, that applications take for proved identity or for the word of their own proxy. */
const wellKnownNames = new Set([
  // Identity
  'remote-user',
  'remote-group',
  'remote-groups',
  'remote-email',
  'remote-name',
  'x-remote-user',
  'x-remote-uid',
  'x-remote-group',
  'x-remote-groups',
  'x-remote-email',
  'x-remote-name',
  'x-authenticated-user',
  'x-authenticated-userid',
  'x-authenticated-email',
  'x-authenticated-groups',
  'x-authenticated-scope',
  'x-authenticated-roles',
  'x-anonymous-consumer',
  'x-credential-identifier',
  'x-email',
  'x-groups',
  'x-roles',
  'x-role',
  'x-subject',
  'x-tenant-id',
  'x-tenant',
  'x-scope-orgid',
  // Client certificates
  'x-client-cert',
  'x-client-dn',
  'x-client-verify',
  'x-client-certificate',
  'client-cert',
  'client-cert-chain',
  'x-arr-clientcert',
  // Forwarding
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'client-ip',
  'true-client-ip',
  'x-cluster-client-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-remote-ip',
  'x-remote-addr',
  'x-remote-address',
  'remote-addr',
  'x-originating-ip',
  'x-scheme',
  'x-url-scheme',
  'x-forwarded',
  'x-host',
  'x-http-host-override',
  'x-http-destinationurl',
  'x-server-name',
  'front-end-https',
  'x-script-name',
  'script-name',
  'x-accel-redirect',
  'x-sendfile',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-http-path-override',
  'cookie2',
])

const wellKnownPrefixes = [
  'x-forwarded-',
  'x-original-',
  'x-rewrite-',
  'x-envoy-',
  'x-auth-',
  'x-auth0-',
  'x-remote-extra-',
  'impersonate-',
  'x-webauth-',
  'x-user',
  'x-pomerium-',
  'x-goog-iap-',
  'x-goog-authenticated-user-',
  'x-amzn-oidc-',
  'x-amzn-mtls-',
  'x-ms-client-principal',
  'x-ms-token-',
  'x-consumer-',
  'x-authentik-',
  'x-vouch-',
  'x-oidc-',
  'oidc-',
  'cf-access-',
  'ssl-client-',
  'x-ssl-',
  'x-client-cert-',
  'tailscale-user-',
]

/** Credentials that an upstream checks itself, or plain talk: not claims of identity, although the prefix fits. */
const spared = new Set(['x-auth-token', 'x-auth-key', 'x-user-agent'])

const isWellKnown = (folded: string): boolean =>
  !spared.has(folded) && (wellKnownNames.has(folded) || wellKnownPrefixes.some((prefix) => folded.startsWith(prefix)))

/** A header by which a Kubernetes API is asked to take the sender for somebody else, in any spelling. */
export const isImpersonation = (rawName: string): boolean =>
  /impersonate/i.test(rawName) && aliasesOf(foldHeaderName(rawName)).some((name) => name.startsWith('impersonate-'))

/** Names kept in the memo; a flood of invented ones costs a recount, never memory. */
const memoSize = 2_000
const memoNameLength = 64

/** @param configured every header name that any route sets, as written in the file */
export function createHeaderNames(configured: Iterable<string>): HeaderNames {
  const ours = new Set([...configured].map(foldHeaderName))
  const memo = new Map<string, HeaderKind>()

  function kindOf(rawName: string): HeaderKind {
    const known = memo.get(rawName)
    if (known !== undefined) return known
    const kind = classify(rawName, ours)
    if (rawName.length <= memoNameLength) {
      if (memo.size >= memoSize) memo.clear()
      memo.set(rawName, kind)
    }
    return kind
  }

  return { kindOf, isManaged: (rawName) => kindOf(rawName) === 'managed' }
}

function classify(rawName: string, ours: ReadonlySet<string>): HeaderKind {
  const name = rawName.toLowerCase()
  // A configured Authorization or Cookie still has to be dealt with by its own rule.
  const kind = special.get(name)
  if (kind !== undefined) return kind
  if (name.startsWith('proxy-')) return 'hopByHop'
  const folded = foldHeaderName(name)
  for (const alias of aliasesOf(folded)) {
    if (ours.has(alias) || isWellKnown(alias)) return 'managed'
    // `Transfer_Encoding` or `HTTP-Host`: nobody sends these in good faith.
    if (alias !== name && (special.has(alias) || alias.startsWith('proxy-'))) return 'managed'
  }
  return 'ordinary'
}

/** CGI puts `HTTP_` in front of names; `HTTP-X-Forwarded-User` is read as the bare name by careless code. */
function aliasesOf(folded: string): string[] {
  const bare = withoutTrailingDashes(folded.replace(/^(?:http-)+/, ''))
  return bare === folded ? [folded] : [folded, bare]
}

/** By hand: `/-+$/` starts anew at every dash, and one name of 30,000 of them held up everybody for seconds. */
function withoutTrailingDashes(name: string): string {
  let end = name.length
  while (end > 0 && name.charCodeAt(end - 1) === 0x2d) end--
  return name.slice(0, end)
}
