import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { isJsonObject, parseStrictJson } from '../core/strict-json.ts'
import { askDiscovery } from './discovery-answer.ts'
import { wrongIssuer } from './issuer-mismatch.ts'
import { createKept, type Kept } from './kept.ts'
import type { Transport } from './transport.ts'

/** What a provider says of itself (OpenID Connect Discovery 1.0 section 3), checked. */
export interface IssuerMetadata {
  readonly issuer: string
  readonly authorizationEndpoint?: URL
  readonly tokenEndpoint?: URL
  readonly userinfoEndpoint?: URL
  readonly endSessionEndpoint?: URL
  readonly jwksUrl?: URL
  /** RFC 9207: answers have to carry `iss`. */
  readonly issParameterSupported: boolean
  readonly codeChallengeMethods?: readonly string[]
  readonly idTokenAlgorithms?: readonly string[]
  readonly userinfoAlgorithms?: readonly string[]
}

const freshFor = 60 * 60 * 1000
const keptFor = 7 * 24 * 60 * 60 * 1000

export interface DiscoveryParts {
  readonly issuer: string
  readonly transport: Transport
  readonly clock: Clock
  readonly log: Log
  /** Throws where what was found cannot be worked with: then it is asked for again soon, not in an hour. */
  readonly check?: (found: IssuerMetadata) => void
}

/** Discovery, lazy and kept: a provider that is down later costs nothing until its keys are too old. */
export function createDiscovery({ issuer, transport, clock, log, check }: DiscoveryParts): Kept<IssuerMetadata> {
  const load = async (): Promise<IssuerMetadata> => {
    const found = await discover(issuer, transport)
    check?.(found)
    return found
  }
  return createKept({ what: `discovery of ${issuer}`, log, load, clock, freshFor, keptFor })
}

async function discover(issuer: string, transport: Transport): Promise<IssuerMetadata> {
  const { place, response, redirect } = await askDiscovery(transport, issuer)
  const document = await readJsonObject(response, place, redirect)
  if (document.issuer !== issuer) throw unusable(wrongIssuer(issuer, document.issuer))
  return readMetadata(document, issuer, transport)
}

/**
 * A JSON object from a provider. A redirect is never followed: where it leads could be anybody's.
 * @throws GatewayError `provider_unreachable` for anything but a 200 with one
 */
export async function fetchJsonObject(
  transport: Transport,
  url: URL,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const response = await transport.fetch(url, { headers: { accept: 'application/json', ...headers } })
  const isRedirect = response.status >= 300 && response.status <= 399
  return readJsonObject(response, url, isRedirect ? ', a redirect, which is never followed' : undefined)
}

/** @param more on a status other than 200 */
async function readJsonObject(response: Response, url: URL, more = ''): Promise<Record<string, unknown>> {
  const place = url.origin + url.pathname
  if (response.status !== 200) throw unusable(`${place} answered ${response.status}${more}`)
  const value = readJson(await response.text())
  if (!isJsonObject(value)) throw unusable(`${place} did not answer with a JSON object`)
  return value
}

function readJson(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch {
    return undefined
  }
}

const unusable = (detail: string): GatewayError => new GatewayError('provider_unreachable', detail)

function readMetadata(document: Record<string, unknown>, issuer: string, transport: Transport): IssuerMetadata {
  const endpoint = (name: string): URL | undefined => {
    const value = document[name]
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string' || !URL.canParse(value)) throw unusable(`discovery: ${name} is not an address`)
    const url = new URL(value)
    if (!transport.allows(url)) throw unusable(`discovery: ${name} ${url.origin} is plain http; use https`)
    return url
  }
  const list = (name: string): readonly string[] | undefined => {
    const value = document[name]
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
  }
  return withoutUndefined({
    issuer,
    authorizationEndpoint: endpoint('authorization_endpoint'),
    tokenEndpoint: endpoint('token_endpoint'),
    userinfoEndpoint: endpoint('userinfo_endpoint'),
    endSessionEndpoint: endpoint('end_session_endpoint'),
    jwksUrl: endpoint('jwks_uri'),
    issParameterSupported: document.authorization_response_iss_parameter_supported === true,
    codeChallengeMethods: list('code_challenge_methods_supported'),
    idTokenAlgorithms: list('id_token_signing_alg_values_supported'),
    userinfoAlgorithms: list('userinfo_signing_alg_values_supported'),
  })
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>
}
