import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { randomToken } from '../core/encoding.ts'
import { createLoginPages } from './idp-login.ts'
import {
  clientMetadata,
  type IdpClient,
  type Lifetimes,
  providerConfiguration,
  sayRefreshLife,
} from './idp-provider.ts'
import { createRecords } from './idp-records.ts'
import { claimsOf, createAccounts, demoUsers, type IdpAccounts, type IdpUser } from './idp-users.ts'
import { closeServer, listen, originOf } from './loopback.ts'

export type { IdpClient, Lifetimes } from './idp-provider.ts'
export type { IdpUser } from './idp-users.ts'

export interface IdpOptions {
  /** `127.0.0.1` (default), `localhost` or `::1`; anything else is refused. */
  readonly host?: string
  /** 0 (default) lets the system choose. */
  readonly port?: number
  /** Default: ada and bob. */
  readonly users?: readonly IdpUser[]
  readonly clients?: readonly IdpClient[]
  /** Seconds; the rest keeps its default. */
  readonly lifetimes?: Partial<Lifetimes>
  /** Signs its tokens, by RS256; extractable. Default: made at the start, which takes a moment. */
  readonly privateKey?: CryptoKey
}

/** The paths that can be counted and made to fail. */
export type IdpEndpoint = 'discovery' | 'jwks' | 'authorization' | 'token' | 'userinfo' | 'end_session' | 'interaction'

/** An OpenID provider in this process, with the handles a test needs. */
export interface Idp {
  readonly issuer: string
  readonly accounts: IdpAccounts
  readonly lifetimes: Lifetimes
  /** Requests so far. */
  readonly counts: Readonly<Record<IdpEndpoint, number>>
  /** Registers a client, or replaces one: for gateways that learn their port after the provider has started. */
  addClient(client: IdpClient): Promise<void>
  /** From now on these endpoints (default: all) answer with this status; undefined: all is well again. */
  fail(status: number | undefined, endpoints?: readonly IdpEndpoint[]): void
  /** Ends all sessions, grants and tokens: the next refresh is `invalid_grant`. */
  revokeAll(): void
  /** Signs an access token as this provider would, with any claim replaced. For API clients and for tests. */
  mintAccessToken(username: string, options: MintOptions): Promise<string>
  close(): Promise<void>
}

export interface MintOptions {
  readonly audience: string
  /** Seconds from now; negative for one that has expired. Default 300. */
  readonly expiresIn?: number
  /** Added last; undefined removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** JOSE `typ`; Keycloak says `JWT`, RFC 9068 `at+jwt` (default). */
  readonly typ?: string
}

/**
 * Starts the embedded provider: for the demo and for tests. It is loaded on demand and never part of a production
 * process, since whoever reaches it can sign in as anybody.
 *
 * @throws Error for a host that is not loopback, and where oidc-provider (a development dependency) is not installed
 */
export async function startIdp(options: IdpOptions = {}): Promise<Idp> {
  const { host = '127.0.0.1', port = 0, users = demoUsers, clients = [] } = options
  if (!['127.0.0.1', 'localhost', '::1'].includes(host)) {
    throw new Error(`the embedded provider lets anybody in, so it listens on loopback alone, not on ${host}`)
  }
  const Provider = await loadProvider()
  const server = createServer()
  await listen(server, host, port)
  const issuer = originOf(server, host)
  const key = await signingKeyOf(
    options.privateKey ?? (await generateKeyPair('RS256', { extractable: true })).privateKey,
  )
  const accounts = createAccounts(users)
  const records = createRecords()
  const lifetimes = { accessToken: 300, refreshToken: 1800, idToken: 300, session: 36_000, ...options.lifetimes }
  const provider = new Provider(issuer, providerConfiguration({ accounts, records, lifetimes, signingKey: key.jwk }))
  sayRefreshLife(provider, lifetimes)
  const addClient = async (client: IdpClient) => records.of('Client').upsert(client.clientId, clientMetadata(client))
  for (const client of clients) await addClient(client)

  const door = createDoor(provider.callback(), createLoginPages(provider, accounts))
  server.on('request', door.handle)
  return {
    issuer,
    accounts,
    lifetimes,
    counts: door.counts,
    fail: door.fail,
    addClient: async (client) => void (await addClient(client)),
    revokeAll: records.revokeAll,
    mintAccessToken: async (username, mint) => mintAccessToken(key, issuer, accounts.get(username), mint),
    close: () => closeServer(server),
  }
}

async function loadProvider() {
  try {
    return (await import('oidc-provider')).default
  } catch (cause) {
    throw new Error('the demo needs a checkout of the repository: its provider is not part of the package', { cause })
  }
}

interface SigningKey {
  readonly jwk: JWK
  readonly kid: string
  readonly privateKey: CryptoKey
}

async function signingKeyOf(privateKey: CryptoKey): Promise<SigningKey> {
  const kid = randomToken(8)
  return { kid, privateKey, jwk: { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' } }
}

async function mintAccessToken({ kid, privateKey }: SigningKey, issuer: string, user: IdpUser, options: MintOptions) {
  const { audience, expiresIn = 300, claims = {}, typ = 'at+jwt' } = options
  const now = Math.floor(Date.now() / 1000)
  const times = { iat: now, exp: now + expiresIn, jti: randomToken(16) }
  const payload = { iss: issuer, aud: audience, azp: 'demo-cli', scope: 'openid profile', ...times, ...claimsOf(user) }
  return new SignJWT({ ...payload, ...claims }).setProtectedHeader({ alg: 'RS256', typ, kid }).sign(privateKey)
}

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

const paths: readonly (readonly [string, IdpEndpoint])[] = [
  ['/.well-known/', 'discovery'],
  ['/jwks', 'jwks'],
  ['/auth', 'authorization'],
  ['/token', 'token'],
  ['/me', 'userinfo'],
  ['/session/end', 'end_session'],
  ['/interaction/', 'interaction'],
]

/** Counts, fails where it was told to, and hands on to oidc-provider or to the login pages. */
function createDoor(provide: Handler, interact: (...exchange: Parameters<Handler>) => Promise<void>) {
  const counts = { discovery: 0, jwks: 0, authorization: 0, token: 0, userinfo: 0, end_session: 0, interaction: 0 }
  let failure: { status: number; endpoints: readonly IdpEndpoint[] | undefined } | undefined
  return {
    counts,
    fail(status: number | undefined, endpoints?: readonly IdpEndpoint[]) {
      failure = status === undefined ? undefined : { status, endpoints }
    },
    handle(request: IncomingMessage, response: ServerResponse): void {
      const endpoint = paths.find(([prefix]) => request.url?.startsWith(prefix))?.[1]
      if (endpoint !== undefined) counts[endpoint]++
      if (failure !== undefined && (failure.endpoints === undefined || failure.endpoints.includes(endpoint!))) {
        response.writeHead(failure.status, { 'content-type': 'text/plain' }).end('told to fail')
      } else if (endpoint === 'interaction') {
        interact(request, response).catch(() => refuse(response))
      } else {
        provide(request, response)
      }
    },
  }
}

/** A login page whose flow is over or belongs to another browser. */
function refuse(response: ServerResponse): void {
  response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' })
  response.end('This sign-in is over. Go back to the application and start again.')
}
