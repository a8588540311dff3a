/** What the authorization endpoint thinks of our client, its redirect URIs, its scopes. */
import { printable } from '../../oidc/failure.ts'
import { type AuthorizationAnswer, probeAuthorization } from './authorization-probe.ts'
import { httpsRequired } from './discovery-answer.ts'
import type { Finding } from './finding.ts'
import { type Elsewhere, isStrange, loginPageFindings, type Page, strangeAnswer } from './login-page.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { scopeFindings } from './scopes.ts'

export async function examineAuthorization(visit: ProviderVisit): Promise<readonly Finding[]> {
  const uris = visit.uris.redirectUris
  const answers = await Promise.all(
    uris.map(async (redirectUri) => ({ redirectUri, answer: await probeAuthorization(visit, { redirectUri }) })),
  )
  const found = await Promise.all(answers.map(({ redirectUri, answer }) => findingsOf(visit, redirectUri, answer)))
  const registered = answers.find(({ answer }) => answer.kind === 'fine')?.redirectUri
  if (registered === undefined) return found.flat()
  const [lost, page] = await Promise.all([scopeFindings(visit, registered), loginPageFindings(visit, registered)])
  return [...found.flat(), ...lost, ...page]
}

async function findingsOf(
  visit: ProviderVisit,
  redirectUri: string,
  answer: AuthorizationAnswer,
): Promise<readonly Finding[]> {
  switch (answer.kind) {
    case 'fine':
      return []
    case 'elsewhere':
    case 'page':
      return isStrange(visit, answer) ? [strangeAnswer(visit, answer)] : pageFindings(visit, redirectUri, answer)
    case 'issuer':
      return [issuerFinding(visit, answer.got)]
    case 'error':
      return answer.error === 'invalid_scope'
        ? scopeFindings(visit, redirectUri)
        : [errorFinding(visit, answer.error, printable(answer.description).replace(/\.$/, ''))]
  }
}

/** Keycloak's words; they are the same in every theme that does not change its messages. */
function pageFindings(visit: ProviderVisit, redirectUri: string, answer: Page | Elsewhere): readonly Finding[] {
  return answer.status < 400 || answer.kind === 'elsewhere' ? [] : [pageFinding(visit, redirectUri, answer)]
}

function pageFinding(visit: ProviderVisit, redirectUri: string, { status, text }: Page): Finding {
  const { provider, key } = visit
  const client = { severity: 'error', place: key('clientId') } as const
  const where = `the client ${provider.clientId} at ${provider.issuer}`
  if (text.includes('HTTPS required')) return httpsRequired(visit)
  if (text.includes('Realm not enabled')) return realmDisabled(visit)
  if (text.includes('Client not found')) return clientUnknown(visit)
  if (text.includes('Wrong client protocol')) return clientOtherProtocol(visit)
  if (text.includes('Client disabled')) {
    return { ...client, name: 'client-disabled', cause: `${where} is disabled`, fix: 'enable it there' }
  }
  if (text.includes('Bearer-only')) {
    const fix = 'turn bearer-only off there, or use a client that may sign people in'
    return { ...client, name: 'client-bearer-only', cause: `${where} is bearer-only`, fix }
  }
  if (text.includes('redirect_uri')) return redirectUriUnknown(visit, redirectUri)
  const cause = `the authorization endpoint answered ${status}: ${printable(text)}`
  const fix = `see that ${provider.clientId} exists there, and that ${redirectUri} is registered to the letter`
  return { ...client, name: 'authorization-refused', cause, fix }
}

export const realmDisabled = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'realm-disabled',
  severity: 'error',
  place: key('issuer'),
  cause: `Keycloak answers “Realm not enabled” for ${provider.issuer}: nobody can sign in`,
  fix: 'turn on “Enabled” in the realm settings',
})

export const clientOtherProtocol = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'client-other-protocol',
  severity: 'error',
  place: key('clientId'),
  cause: `the client ${provider.clientId} at ${provider.issuer} is for another protocol than OpenID Connect, such as SAML`,
  fix: 'make a client of type OpenID Connect, under another ID if the other one is in use',
})

export const clientUnknown = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'client-unknown',
  severity: 'error',
  place: key('clientId'),
  cause: `${provider.issuer} knows no client “${provider.clientId}”`,
  fix: 'write the client ID as it is registered there, or register it: `doorward check` prints what it needs',
})

const redirectUriUnknown = ({ provider }: ProviderVisit, redirectUri: string): Finding => ({
  name: 'redirect-uri-not-registered',
  severity: 'error',
  place: 'publicUrl',
  cause: `the client ${provider.clientId} does not list ${redirectUri} as a redirect URI`,
  fix: `add ${redirectUri} to its valid redirect URIs, to the letter; or correct publicUrl`,
})

function issuerFinding({ provider, key }: ProviderVisit, got: string | undefined): Finding {
  const at = { severity: 'error', place: key('issuer') } as const
  if (got === undefined) {
    const cause = 'the provider announces `iss` in its answers (RFC 9207) and leaves it out for this client'
    const fix = 'turn off “Exclude Issuer From Authentication Response” of the client'
    return { ...at, name: 'iss-missing', cause, fix }
  }
  const cause = `invalid issuer: expected ${provider.issuer}, got ${printable(got)} in the answer that browsers bring back`
  const fix = 'set a fixed hostname at the provider (Keycloak: --hostname), so that it has one name for everybody'
  return { ...at, name: 'issuer-mismatch', cause, fix }
}

function errorFinding({ provider, key }: ProviderVisit, error: string, description: string): Finding {
  const at = { severity: 'error', place: key('clientId') } as const
  const said = `the authorization endpoint answers ${printable(error)}${description === '' ? '' : `: ${description}`}`
  if (/code.challenge/i.test(description)) {
    const fix = 'set the PKCE method of the client to S256 there: it is what we send, always'
    return { ...at, name: 'pkce-refused', cause: said, fix }
  }
  if (error === 'unauthorized_client') {
    const fix = `turn on the standard flow (authorization code) of the client ${provider.clientId}`
    return { ...at, name: 'flow-disabled', cause: said, fix }
  }
  if (/pushed authorization/i.test(description)) {
    const fix = 'turn off “pushed authorization request required” of the client'
    return { ...at, name: 'par-required', cause: said, fix }
  }
  return { ...at, name: 'authorization-refused', cause: said, fix: 'the log of the provider knows more' }
}
