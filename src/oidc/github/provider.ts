/** GitHub as an identity provider: OAuth 2.0 (RFC 6749) with PKCE, and its REST API in place of an ID token. */
import { hash } from 'node:crypto'
import type { ProviderConfig } from '../../config/config.ts'
import type { Identity } from '../../core/identity.ts'
import type { Proof } from '../../core/proof.ts'
import { openTransport } from '../../issuer/transport.ts'
import { LoginFailure, loginFailureOf, printable } from '../failure.ts'
import type { IdentityProvider } from '../identity-provider.ts'
import { furtherParameters, type LoginRequest, type LoginTransaction, refuseStrangeAnswer } from '../login.ts'
import type { ProviderWorld } from '../provider.ts'
import { createGitHubApi } from './api.ts'
import { type GitHubEndpoints, gitHubEndpoints } from './endpoints.ts'
import { readPerson } from './person.ts'
import { renewable, renewGitHubSession } from './renew.ts'
import { askForTokens, type Granted } from './tokens.ts'

/** GitHub tells nobody when somebody leaves an organisation, and its tokens last: so it is asked. Milliseconds. */
const confirmEvery = 30 * 60 * 1000

/** Opens the provider without a single call. There is nothing to discover, so it is ready at once. */
export function openGitHub(config: ProviderConfig, world: ProviderWorld): IdentityProvider {
  const { clock, log, allowInsecureHttp } = world
  const transport = openTransport({ ...config, allowInsecureHttp })
  const endpoints = gitHubEndpoints(config.issuer)
  const since = clock.now()
  const wire: Wire = {
    person: (accessToken, scopes) =>
      readPerson(createGitHubApi(transport, endpoints.api, accessToken), config, scopes, log),
    ask: (grant) => askForTokens({ config, transport, endpoint: endpoints.token, now: clock.now() }, grant),
  }

  return {
    config,
    confirmEvery,
    beginLogin: async (request) => authorizationUrl(config, endpoints, request),
    finishLogin: async (currentUrl, transaction) => {
      try {
        const code = codeIn(currentUrl.searchParams, transaction, endpoints)
        const redirectUri = currentUrl.origin + currentUrl.pathname
        return await redeemCode(wire, config, { code, redirectUri, codeVerifier: transaction.codeVerifier })
      } catch (error) {
        throw loginFailureOf(error)
      }
    },
    renew: (session) =>
      renewGitHubSession(
        {
          redeem: (token) => wire.ask({ grant_type: 'refresh_token', refresh_token: token }),
          person: wire.person,
          now: clock.now,
          confirmEvery,
          onUnread: (detail) => log.warn({ provider: config.name, detail }, 'claims not renewed'),
        },
        session,
      ),
    // GitHub lets nobody but the person end its session.
    endSessionUrl: () => undefined,
    endSessionOrigin: () => undefined,
    authorizationOrigin: () => endpoints.authorization.origin,
    state: () => ({ ready: true, since }),
    warmUp() {},
    close: () => transport.close(),
  }
}

/** What GitHub is asked between two redirects. */
interface Wire {
  ask(grant: Readonly<Record<string, string>>): Promise<Granted>
  person(accessToken: string, scopes: readonly string[]): Promise<Identity>
}

interface Code {
  readonly code: string
  readonly redirectUri: string
  readonly codeVerifier: string
}

async function redeemCode(
  wire: Wire,
  config: ProviderConfig,
  { code, redirectUri, codeVerifier }: Code,
): Promise<Proof> {
  const granted = await wire.ask({ code, redirect_uri: redirectUri, code_verifier: codeVerifier })
  refuseMissingScopes(config, granted.scopes)
  const identity = await wire.person(granted.tokens.accessToken, granted.scopes)
  return { identity, tokens: renewable(granted.tokens) }
}

function authorizationUrl(config: ProviderConfig, { authorization }: GitHubEndpoints, request: LoginRequest): URL {
  const url = new URL(authorization)
  const prompt = request.prompt ?? config.prompt
  const parameters = {
    ...furtherParameters(config, request),
    ...(prompt !== undefined && { prompt }),
    response_type: 'code',
    client_id: config.clientId,
    redirect_uri: request.redirectUri,
    scope: config.scopes.join(' '),
    state: request.state,
    code_challenge: hash('sha256', request.codeVerifier, 'base64url'),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}

/** The code of an answer that is one to our question, and from whom we asked (RFC 6749 4.1.2, RFC 9207). */
function codeIn(answer: URLSearchParams, { state }: LoginTransaction, { issuers }: GitHubEndpoints): string {
  refuseStrangeAnswer(answer)
  if (answer.get('state') !== state) throw strange('the callback holds another state')
  const issuer = answer.get('iss')
  if (issuer !== null && !issuers.includes(issuer)) {
    throw strange(`invalid issuer: expected ${issuers.at(-1)}, got ${printable(issuer)}`)
  }
  const error = answer.get('error')
  if (error !== null) throw saidNo(error, answer.get('error_description') ?? '')
  const code = answer.get('code')
  if (code === null || code === '') throw strange('the callback holds no code')
  return code
}

function saidNo(error: string, described: string): LoginFailure {
  const description = printable(described)
  const detail = `authorization response: ${printable(error)}${description && `: ${description}`}`
  const isDenied = error === 'access_denied'
  const more = description === '' ? {} : { description }
  return new LoginFailure(isDenied ? 'denied' : 'provider_error', isDenied ? 'access_denied' : 'other', detail, more)
}

const strange = (detail: string): LoginFailure => new LoginFailure('invalid_response', 'callback_parameters', detail)

/** A scope, and those that hold it. */
const enough: Readonly<Record<string, readonly string[]>> = {
  'read:user': ['read:user', 'user'],
  'user:email': ['user:email', 'user'],
  'read:org': ['read:org', 'write:org', 'admin:org'],
}

/** GitHub may grant less than was asked for. A GitHub App is granted none: its permissions are set at GitHub. */
function refuseMissingScopes({ scopes }: ProviderConfig, granted: readonly string[]): void {
  if (granted.length === 0) return
  const missing = scopes.filter((scope) => !(enough[scope] ?? [scope]).some((one) => granted.includes(one)))
  if (missing.length === 0) return
  throw new LoginFailure('provider_error', 'scope', `GitHub did not grant ${missing.join(' ')}`)
}
