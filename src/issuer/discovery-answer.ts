/**
 * Owns the question for the discovery document, and which redirects of it are followed: those within the server that was
 * asked, two in a row (docs/decisions/discovery-redirects.md). Keys, tokens and userinfo are never asked for this way.
 */
import type { Transport, TransportRequest } from './transport.ts'

/** OpenID Connect Discovery 4.1: the path is put behind the issuer, one slash between. */
export const discoveryUrl = (issuer: string): URL =>
  new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)

export interface DiscoveryAnswer {
  /** The address that gave it, as it was reached from here. */
  readonly place: URL
  readonly response: Response
  /** Why a redirect was not followed, and what to write instead; undefined where there was none. */
  readonly redirect?: string
}

const mostHops = 2

/** @throws ProviderUnreachable */
export async function askDiscovery(
  transport: Transport,
  issuer: string,
  signal?: AbortSignal,
): Promise<DiscoveryAnswer> {
  const init: TransportRequest = { headers: { accept: 'application/json' }, ...(signal !== undefined && { signal }) }
  const first = discoveryUrl(issuer)
  for (let url = first, hops = 0; ; hops++) {
    const response = await transport.fetch(url, init)
    const place = transport.addressOf(url)
    if (response.status < 300 || response.status > 399) return { place, response }
    const next = URL.parse(response.headers.get('location') ?? '', place.href)
    const follows = next !== null && hops < mostHops && isSameServer(next, place)
    if (!follows) return { place, response, redirect: whereTo(next, place, first) }
    url = next
  }
}

/** Scheme, host and port: whoever answers there could have answered at the first address. */
const isSameServer = (next: URL, place: URL): boolean =>
  next.origin === place.origin && next.username === '' && next.password === ''

function whereTo(next: URL | null, place: URL, first: URL): string {
  if (next === null) return ', a redirect to nowhere'
  const leads = next.origin + next.pathname
  if (isSameServer(next, place)) return `, a redirect to ${leads} after two others`
  return `, a redirect to ${leads}, which is never followed${lineToWrite(next, place, first)}`
}

function lineToWrite(next: URL, place: URL, first: URL): string {
  if (place.origin !== first.origin) {
    return next.origin === first.origin
      ? '; what `internalUrl` names sends everybody to the public address: leave it out, or name an address that answers'
      : `; set \`internalUrl: ${next.origin}\`, or leave it out`
  }
  const wellKnown = next.pathname.indexOf('/.well-known/')
  if (wellKnown === -1) return ''
  return `; set \`issuer: ${next.origin}${next.pathname.slice(0, wellKnown)}\` if that is what its tokens say`
}
