/** Pages at the login address that are not the provider's own: of a firewall, of a theme that fails, of maintenance. */
import { printable } from '../../oidc/failure.ts'
import { type AuthorizationAnswer, probeAuthorization } from './authorization-probe.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

export type Page = Extract<AuthorizationAnswer, { kind: 'page' }>
export type Elsewhere = Extract<AuthorizationAnswer, { kind: 'elsewhere' }>

/**
 * Whether an answer to `prompt=none` cannot be the provider's. Keycloak comes back to our redirect URI, or refuses by 400
 * or 403; a page, or a way to elsewhere, is somebody's in front of it. Other providers may show their login page, or lead
 * there, so of those only a page without anything to sign in with is strange, and a server that fails.
 */
export function isStrange({ provider }: ProviderVisit, answer: Page | Elsewhere): boolean {
  if (answer.kind === 'elsewhere') return provider.kind === 'keycloak'
  const { status, text, isSignIn } = answer
  if (status >= 500) return true
  if (provider.kind === 'keycloak') return status < 400 || isOfFirewall(text)
  return status < 400 && !isSignIn
}

/** Words of firewalls, which answer 403 or 406 as Keycloak may. */
const isOfFirewall = (text: string): boolean =>
  /attention required|access denied|request (?:was )?(?:blocked|rejected)|not acceptable|captcha|incident id|reference #|support id|web application firewall/i.test(
    text,
  )

/** What people see: asked without `prompt=none`, which shows no page where all is well. Costs a login that nobody goes on with. */
export async function loginPageFindings(visit: ProviderVisit, redirectUri: string): Promise<readonly Finding[]> {
  const answer = await probeAuthorization(visit, { redirectUri, mayAsk: true })
  if (answer.kind !== 'page') return []
  const { status, isSignIn } = answer
  if (status >= 400 || (status < 300 && !isSignIn)) return [strangeAnswer(visit, answer)]
  return believesHttp(visit, answer) ? [proxyHeadersMissing(visit)] : []
}

/** Over https Keycloak marks every cookie Secure; asked by an address inside the cluster it is right not to. */
const believesHttp = ({ provider }: ProviderVisit, { cookies }: Page): boolean =>
  provider.kind === 'keycloak' &&
  provider.internalUrl === undefined &&
  provider.issuer.startsWith('https:') &&
  cookies.some((cookie) => !/;\s*secure\s*(?:;|$)/i.test(cookie))

const proxyHeadersMissing = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'proxy-headers-missing',
  severity: 'warning',
  place: key('issuer'),
  cause: `Keycloak sets cookies without Secure at ${new URL(provider.issuer).origin}: it does not know that browsers reach it by https`,
  fix: 'start Keycloak with --proxy-headers=xforwarded, and see that the proxy which ends TLS sends X-Forwarded-Proto',
})

export function strangeAnswer({ key, provider }: ProviderVisit, answer: Page | Elsewhere): Finding {
  const at = { severity: 'error', place: key('issuer') } as const
  const { status } = answer
  if (answer.kind === 'elsewhere') {
    const cause = `the login address of ${provider.issuer} leads (${status}) to ${printable(answer.location)}, and not back to us: another server stands in front of it`
    const fix = 'let that server pass the login address of the provider on as it is'
    return { ...at, name: 'login-page-strange', cause, fix }
  }
  const said = answer.text === '' ? 'nothing' : `“${printable(answer.text).slice(0, 120)}”`
  if (status >= 500) {
    const cause = `the login page of ${provider.issuer} fails: ${status}, ${said}`
    const fix =
      'look at the log of the provider: a login theme that fails, or what stands in front of it and does not reach it'
    return { ...at, name: 'login-page-fails', cause, fix }
  }
  const cause = `the login address of ${provider.issuer} answers ${status} with a page that signs nobody in: ${said}`
  const fix = 'see who answers there: a firewall, a page of maintenance, a proxy that leads to another server'
  return { ...at, name: 'login-page-strange', cause, fix }
}
