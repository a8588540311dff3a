import { GatewayError } from '../core/errors.ts'
import { safeReturnTo } from '../core/urls.ts'
import type { Credentials } from '../gate/decision.ts'
import { originProblem } from '../policy/origin.ts'
import { outlivesProvider } from '../session/lifetimes.ts'
import type { FoundSession, LiveSession } from '../session/session.ts'
import type { Answer } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { pageHeaders } from './pages/headers.ts'
import type { Html } from './pages/html.ts'
import { RequestCredentials, readTarget, refuseUnclearHead } from './request-reading.ts'
import type { Serving } from './serving.ts'
import type { Site } from './sites.ts'

/** A request for one of our own pages, read and checked: it came to an address that publicUrl names. */
export interface OwnRequest {
  readonly serving: Serving
  readonly site: Site
  readonly exchange: Exchange
  readonly credentials: Credentials
  readonly query: URLSearchParams
  /** Fields of a posted form; empty otherwise. */
  readonly form: URLSearchParams
}

/**
 * A call from a provider's own server. It may come by any name of this gateway, since inside a cluster that is a
 * service's; a signature proves it, never a cookie.
 */
export interface ProviderRequest {
  readonly serving: Serving
  readonly exchange: Exchange
  readonly form: URLSearchParams
}

export function readProviderRequest(serving: Serving, exchange: Exchange, form: URLSearchParams): ProviderRequest {
  readHead(serving, exchange)
  return { serving, exchange, form }
}

/** @throws GatewayError `host_unknown` where the host is not one of publicUrl */
export function readOwnRequest(serving: Serving, exchange: Exchange, form: URLSearchParams): OwnRequest {
  const { target, credentials } = readHead(serving, exchange)
  const site = serving.sites.named(target.host)
  if (site === undefined) throw new GatewayError('host_unknown', `${target.host} is not an address of publicUrl`)
  return { serving, site, exchange, credentials, query: new URLSearchParams(target.query), form }
}

function readHead(serving: Serving, exchange: Exchange) {
  const { request } = exchange
  refuseUnclearHead(request)
  const target = readTarget(request, serving.surroundings)
  exchange.target = target
  const credentials = new RequestCredentials(request, target.method, serving.trusted, true)
  exchange.credentials = credentials
  return { target, credentials }
}

/** A page of ours on the same site. */
export const pageOf = ({ serving, site }: OwnRequest, name: string): string =>
  `${site.origin}${serving.config.basePath}/${name}`

/** Where a person goes afterwards: what was asked for if it is ours, else the site's front door. */
export const returnToOf = (own: OwnRequest, value: string | null | undefined): URL =>
  ownAddress(own, value) ?? new URL('/', own.site.origin)

/** An address people may be sent to, made from what a request asked for; undefined where it is not ours. */
export function ownAddress({ serving, site }: OwnRequest, value: string | null | undefined): URL | undefined {
  const origins = [site.origin, ...serving.returnOrigins.filter((origin) => origin !== site.origin)]
  const { basePath } = serving.config
  return value ? safeReturnTo(value, { origins, basePath }) : undefined
}

export const loginHref = (own: OwnRequest, returnTo: URL): string =>
  `${pageOf(own, 'login')}?rd=${encodeURIComponent(returnTo.href)}`

/** The same, where the provider has to ask which account: by itself it would take the one it knows already. */
export const otherAccountHref = (own: OwnRequest, returnTo: URL): string =>
  `${loginHref(own, returnTo)}&prompt=select_account`

export function pageAnswer(own: OwnRequest, status: number, html: Html, headers: Answer['headers'] = {}): Answer {
  const { brand } = own.serving.config
  const fixed = pageHeaders({ brand, scheme: own.site.scheme, formAction: own.serving.formAction() })
  return { status, headers: { ...fixed, ...headers }, body: html.toString() }
}

/** One that has outlived the provider's word is renewed, or ended, first: nobody is told that they are signed in by it. */
export async function findSession(own: OwnRequest): Promise<FoundSession> {
  const { serving, site, credentials } = own
  const { store } = site.sessions
  const found = await keptSession(own)
  if (found.kind !== 'live' || !outlivesProvider(found.live.session, serving.clock.now())) return found
  const renewed = await serving.renewal.renew(found.live, store)
  if (renewed.kind === 'ended') return { kind: 'refused', reason: 'ended', clear: store.clear(credentials.cookie) }
  return { kind: 'live', live: renewed.live, ...(renewed.fresh && { renewal: () => renewed.setCookies }) }
}

/** As the store has it, for whoever ends it: whom to sign out at the provider does not run out. */
export async function keptSession({ serving, site, credentials }: OwnRequest): Promise<FoundSession> {
  const found = await site.sessions.store.find(credentials.cookie)
  if (found.kind === 'live') serving.seen(found.live)
  return found
}

export const liveSession = async (own: OwnRequest): Promise<LiveSession | undefined> => liveOf(await findSession(own))

export const sessionToEnd = async (own: OwnRequest): Promise<LiveSession | undefined> => liveOf(await keptSession(own))

const liveOf = (found: FoundSession): LiveSession | undefined => (found.kind === 'live' ? found.live : undefined)

/** Why a state-changing request must not count as this person's wish; undefined where it may. */
export function foreignRequest({ serving, exchange, credentials }: OwnRequest): string | undefined {
  return originProblem({
    method: exchange.request.method ?? '',
    isUpgrade: false,
    origin: credentials.origin,
    secFetchSite: credentials.secFetchSite,
    allowedOrigins: serving.ownOrigins,
  })
}
