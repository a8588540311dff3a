/** Signs a person in through Keycloak's own login pages, as their browser would, to look at real tokens. */
import type { ClaimSources } from '../../core/claims.ts'
import { randomToken } from '../../core/encoding.ts'
import type { Proof } from '../../core/proof.ts'
import type { Secret } from '../../core/secret.ts'
import { readJwt } from '../../issuer/jwt.ts'
import { openTransport } from '../../issuer/transport.ts'
import { endSessionUrl } from '../../oidc/end-session.ts'
import { printable } from '../../oidc/failure.ts'
import { beginLogin, finishLogin } from '../../oidc/login.ts'
import { sourcesOf } from '../../oidc/person.ts'
import type { Provider } from '../../oidc/provider.ts'
import { type Answer, createBrowsing, errorOn, fieldsOf, formOn } from './keycloak-pages.ts'

export interface SignInRequest {
  /** Registered; nobody is sent there. */
  readonly redirectUri: string
  readonly person: { readonly username: string; readonly password: Secret }
  readonly allowInsecureHttp: boolean
  readonly signal: AbortSignal
}

export interface SignedIn {
  /** What the gateway would have made of it. */
  readonly proof: Proof
  /** What each token and userinfo say; verified as the gateway does. */
  readonly sources: ClaimSources
  /** Ends the session at Keycloak again. Never throws. */
  end(): Promise<void>
}

/** Keycloak did not let the person in, or wants something of them first. The message is for people. */
export class SignInRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SignInRefused'
  }
}

/**
 * The whole authorization code flow with the gateway's own code at both ends. Costs one session, which `end` ends.
 * @throws SignInRefused; LoginFailure where the tokens are not what the gateway accepts; ProviderUnreachable
 */
export async function signInAtKeycloak(oidc: Provider, request: SignInRequest): Promise<SignedIn> {
  const transport = openTransport({ ...oidc.config, allowInsecureHttp: request.allowInsecureHttp })
  try {
    const browsing = createBrowsing(transport, request.signal)
    const [state, nonce, codeVerifier] = [randomToken(), randomToken(), randomToken()]
    const { redirectUri } = request
    const url = await beginLogin(oidc, { redirectUri, state, nonce, codeVerifier, prompt: 'login' })
    const callback = await passPages(await browsing.open(url, redirectUri), request, browsing)
    const proof = await finishLogin(oidc, callback, { state, nonce, codeVerifier }).catch(async (error: unknown) => {
      await endAsBrowser(oidc, browsing)
      throw error
    })
    return { proof, sources: await sourcesFor(oidc, proof), end: () => endAt(oidc, proof, request) }
  } finally {
    await transport.close()
  }
}

/** User name and password may stand on one page or on two. */
const mostPages = 4

async function passPages(
  first: Answer,
  { person, redirectUri }: SignInRequest,
  { submit }: ReturnType<typeof createBrowsing>,
): Promise<URL> {
  let answer = first
  let asked = false
  for (let page = 0; page < mostPages; page++) {
    if (answer.kind === 'arrived') return answer.at
    const form = formOn(answer)
    const names = form === undefined ? [] : fieldsOf(form)
    const takes = (name: string) => names.includes(name)
    if (form === undefined || !(takes('username') || takes('password'))) throw wantsMore(answer, person.username)
    if (asked) throw new SignInRefused(`Keycloak did not let ${person.username} in: ${errorOn(answer)}`)
    asked = takes('password')
    const typed = {
      ...(takes('username') && { username: person.username }),
      ...(takes('password') && { password: person.password.reveal() }),
    }
    answer = await submit(answer, form, typed, redirectUri)
  }
  throw new SignInRefused('Keycloak asked for the same thing again and again')
}

function wantsMore({ url, page }: Extract<Answer, { kind: 'page' }>, username: string): SignInRefused {
  const action = url.searchParams.get('execution') ?? ''
  const title = /<h1[^>]*>([\s\S]*?)<\/h1>/i.exec(page)?.[1] ?? ''
  const what = printable(
    title
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  )
  const words = [what, /^[A-Z_]+$/.test(action) ? action : ''].filter((text) => text !== '').join(', ')
  return new SignInRefused(
    `Keycloak wants something of ${username} that the doctor cannot do: ${words || url.pathname}`,
  )
}

/** Asked again for what the login asked already: the gateway keeps the identity alone. */
async function sourcesFor(oidc: Provider, { identity, tokens }: Proof): Promise<ClaimSources> {
  return sourcesOf(oidc, {
    configuration: await oidc.configuration(),
    accessToken: tokens.accessToken ?? '',
    idToken: readJwt(tokens.idToken ?? '')?.payload,
    subject: identity.subject,
  })
}

/** Without an ID token Keycloak asks the browser whether it means it. Never throws. */
async function endAsBrowser(oidc: Provider, { open, submit }: ReturnType<typeof createBrowsing>): Promise<void> {
  const url = endSessionUrl(oidc, { idToken: undefined, postLogoutRedirectUri: '', state: 'doctor' })
  if (url === undefined) return
  url.searchParams.delete('post_logout_redirect_uri')
  const nowhere = 'none:'
  const answer = await open(url, nowhere).catch(() => undefined)
  const form = answer?.kind === 'page' ? formOn(answer) : undefined
  if (answer?.kind !== 'page' || form === undefined) return
  await submit(answer, form, { confirmLogout: 'Logout' }, nowhere).catch(() => undefined)
}

/** With the ID token as hint nobody is asked: the session ends, and with it the refresh token. */
async function endAt(oidc: Provider, { tokens }: Proof, { allowInsecureHttp, redirectUri }: SignInRequest) {
  const url = endSessionUrl(oidc, { idToken: tokens.idToken, postLogoutRedirectUri: redirectUri, state: 'doctor' })
  if (url === undefined) return
  // An address to return to may be registered or not; without one Keycloak ends the session all the same.
  url.searchParams.delete('post_logout_redirect_uri')
  const transport = openTransport({ ...oidc.config, allowInsecureHttp })
  await transport.fetch(url).catch(() => undefined)
  await transport.close()
}
