/**
 * Asks the authorization endpoint as a browser would, with `prompt=none` and nobody signed in. The right answer is
 * `login_required` at our redirect URI (OpenID Connect Core 3.1.2.6); every other one is a diagnosis.
 */
import { randomToken } from '../../core/encoding.ts'
import { beginLogin } from '../../oidc/login.ts'
import type { ProviderVisit } from './provider-visit.ts'

export type AuthorizationAnswer =
  /** It says that nobody is signed in. */
  | { readonly kind: 'fine' }
  /** Came back to our redirect URI. */
  | { readonly kind: 'error'; readonly error: string; readonly description: string }
  /** Came back without `iss`, or with another. */
  | { readonly kind: 'issuer'; readonly got: string | undefined }
  /** A page: the provider does not trust the redirect URI or the client, does not know `prompt=none`, or it is another's. */
  | {
      readonly kind: 'page'
      readonly status: number
      readonly text: string
      readonly isSignIn: boolean
      readonly cookies: readonly string[]
    }
  /** Sent to another address than ours: further pages of the provider, or somebody in front of it. */
  | { readonly kind: 'elsewhere'; readonly status: number; readonly location: string }

export interface AuthorizationQuestion {
  readonly redirectUri: string
  /** In place of those of the file. */
  readonly scopes?: readonly string[]
  /** Lets it show the page that people see. */
  readonly mayAsk?: boolean
}

/** What says: asked rightly, and nobody is signed in (OpenID Connect Core 3.1.2.6). */
const nobodyThere = new Set([
  'login_required',
  'interaction_required',
  'account_selection_required',
  'consent_required',
])

/** @throws ProviderUnreachable */
export async function probeAuthorization(
  visit: ProviderVisit,
  { redirectUri, scopes, mayAsk = false }: AuthorizationQuestion,
): Promise<AuthorizationAnswer> {
  const { oidc, transport, signal } = visit
  const [state, nonce, codeVerifier] = [randomToken(), randomToken(), randomToken()]
  const prompt = mayAsk ? {} : { prompt: 'none' }
  const url = await beginLogin(oidc, { redirectUri, state, nonce, codeVerifier, ...prompt })
  if (scopes !== undefined) url.searchParams.set('scope', ['openid', ...scopes].join(' '))
  // The words of an error page are read, so they have to be English.
  const headers = { accept: 'text/html', 'accept-language': 'en' }
  const response = await transport.fetch(url, { headers, signal })
  const location = URL.parse(response.headers.get('location') ?? '', url.href)
  const { status } = response
  if (location !== null && isRedirect(response)) {
    if (location.href.startsWith(redirectUri)) return read(visit, location)
    return { kind: 'elsewhere', status, location: location.origin + location.pathname }
  }
  const page = await response.text()
  return {
    kind: 'page',
    status,
    text: textOf(page),
    isSignIn: isSignIn(page),
    cookies: response.headers.getSetCookie(),
  }
}

/** A form to fill in, or a program that makes one. A page that only says something has neither. */
const isSignIn = (page: string): boolean => /<form\b|type\s*=\s*["']?password|<script\b[^>]*\bsrc\s*=/i.test(page)

const isRedirect = ({ status }: Response): boolean => status >= 300 && status < 400

function read({ oidc, provider }: ProviderVisit, { searchParams }: URL): AuthorizationAnswer {
  const error = searchParams.get('error') ?? ''
  const issuer = searchParams.get('iss') ?? undefined
  const isRequired = oidc.knownMetadata()?.issParameterSupported === true
  if (issuer === undefined ? isRequired : issuer !== provider.issuer) return { kind: 'issuer', got: issuer }
  if (error === '' || nobodyThere.has(error)) return { kind: 'fine' }
  return { kind: 'error', error, description: searchParams.get('error_description') ?? '' }
}

/** What a person reads on the page, bounded. */
const textOf = (page: string): string =>
  page
    .replaceAll(/<(style|script|head)\b[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 400)
