/** Whether the token endpoint believes that we are the client; asked with a code that cannot be valid. */
import { genericGrantRequest } from 'openid-client'
import { readMembers } from '../../core/foreign-json.ts'
import type { Secret } from '../../core/secret.ts'
import { loginFailureOf, printable } from '../../oidc/failure.ts'
import { clientOtherProtocol, clientUnknown, realmDisabled } from './authorization.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

type Method = 'client_secret_basic' | 'client_secret_post'

/** What an endpoint says to a proof: `invalid_grant` means that the proof itself is good (RFC 6749 5.2). */
interface Said {
  readonly error: string
  readonly description: string
}

export async function examineClientProof(visit: ProviderVisit): Promise<readonly Finding[]> {
  const { clientAuth } = visit.provider
  switch (clientAuth.method) {
    case 'private_key_jwt':
      return keyFindings(visit)
    case 'none':
      return publicFindings(visit, await ask(visit, {}, { client_id: visit.provider.clientId }))
    default:
      return secretFindings(visit, clientAuth.method, clientAuth.secret)
  }
}

/** Words of Keycloak that say what is wrong better than the code beside them. */
function byKeycloak(visit: ProviderVisit, { description }: Said): Finding | undefined {
  if (visit.provider.kind !== 'keycloak') return undefined
  if (/realm not enabled/i.test(description)) return realmDisabled(visit)
  if (/wrong client protocol/i.test(description)) return clientOtherProtocol(visit)
  if (/dpop proof/i.test(description)) return dpopRequired(visit)
  // What signed JWTs and certificates miss in a request that has none of them.
  return /missing client_id|client_assertion|certificate/i.test(description) ? otherAuthenticator(visit) : undefined
}

const dpopRequired = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'dpop-required',
  severity: 'error',
  place: key('clientId'),
  cause: `the client ${provider.clientId} wants tokens bound by DPoP, which applications behind a gateway could not use`,
  fix: 'turn off “Require DPoP bound tokens” of the client (Capability config)',
})

const otherAuthenticator = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'client-auth-method',
  severity: 'error',
  place: key('clientAuth'),
  cause: `the client ${provider.clientId} does not prove itself by ${provider.clientAuth.method} at Keycloak, but by a signed JWT or a certificate`,
  fix: 'set its Client Authenticator to “Client Id and Secret” (Credentials), or write clientAuth as it is there',
})

const isBelieved = ({ error }: Said): boolean => error === 'invalid_grant'
const isOtherFault = ({ error }: Said): boolean =>
  !['invalid_grant', 'invalid_client', 'unauthorized_client'].includes(error)

async function secretFindings(visit: ProviderVisit, method: Method, secret: Secret): Promise<readonly Finding[]> {
  const text = secret.reveal()
  const said = await prove(visit, method, text)
  if (isBelieved(said)) return unchecked(visit)
  const told = byKeycloak(visit, said)
  if (told !== undefined) return [told]
  if (isOtherFault(said)) return [refusal(visit, said)]
  // Keycloak alone tells the two apart by the code; elsewhere invalid_client may be either.
  const isKeycloak = visit.provider.kind === 'keycloak'
  if (isKeycloak && said.error === 'invalid_client') return [clientUnknown(visit)]
  const other: Method = method === 'client_secret_basic' ? 'client_secret_post' : 'client_secret_basic'
  if (isBelieved(await prove(visit, other, text))) return [otherMethod(visit, method, other)]
  const newline = /[\r\n]/.test(text) || isBelieved(await prove(visit, method, `${text}\n`))
  return [isKeycloak || newline ? wrongSecret(visit, text, newline) : clientOrSecretWrong(visit)]
}

/** Keycloak lets a public client in with any secret, or none. */
async function unchecked(visit: ProviderVisit): Promise<readonly Finding[]> {
  const { provider, key } = visit
  if (provider.kind !== 'keycloak') return []
  if (!isBelieved(await ask(visit, {}, { client_id: provider.clientId }))) return []
  const cause = `the client ${provider.clientId} is public: Keycloak asks nobody for its secret, so anybody can be this gateway`
  const fix = 'turn “Client authentication” on, and put its secret into the file'
  return [{ name: 'client-secret-unchecked', severity: 'warning', place: key('clientSecret'), cause, fix }]
}

const prove = (visit: ProviderVisit, method: Method, secret: string): Promise<Said> => {
  const { clientId } = visit.provider
  if (method === 'client_secret_post') return ask(visit, {}, { client_id: clientId, client_secret: secret })
  const credentials = Buffer.from(`${formEncoded(clientId)}:${formEncoded(secret)}`).toString('base64')
  return ask(visit, { authorization: `Basic ${credentials}` }, {})
}

/** RFC 6749 2.3.1: encoded like a form before it becomes Basic. */
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

async function ask(
  { oidc, transport, uris, signal }: ProviderVisit,
  headers: Readonly<Record<string, string>>,
  proof: Readonly<Record<string, string>>,
): Promise<Said> {
  const { tokenEndpoint } = await oidc.metadata()
  const body = new URLSearchParams({ ...grantOf(uris.redirectUris[0]!), ...proof }).toString()
  const type = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const response = await transport.fetch(tokenEndpoint!, {
    method: 'POST',
    headers: { ...type, ...headers },
    body,
    signal,
  })
  return readSaid(response.status, await response.text())
}

const grantOf = (redirectUri: string) => ({
  grant_type: 'authorization_code',
  code: 'doorward-doctor-asks-who-it-is',
  redirect_uri: redirectUri,
  code_verifier: 'doorward-doctor-has-no-verifier-for-a-code-that-is-none',
})

function readSaid(status: number, text: string): Said {
  const { error, error_description } = readMembers(text)
  if (typeof error === 'string') return { error, description: printable(String(error_description ?? '')) }
  return { error: `status ${status}`, description: 'without an OAuth error' }
}

async function keyFindings(visit: ProviderVisit): Promise<readonly Finding[]> {
  const { grant_type, ...parameters } = grantOf(visit.uris.redirectUris[0]!)
  try {
    await genericGrantRequest(await visit.oidc.configuration(), grant_type, parameters)
    return []
  } catch (error) {
    const { code, detail } = loginFailureOf(error)
    if (code === 'code_rejected') return []
    const fix = 'give the provider the public key of this private key, and see that its key ID is the one of the file'
    const name = code === 'client_rejected' ? 'client-key-refused' : 'client-refused'
    return [{ name, severity: 'error', place: visit.key('clientAuth'), cause: detail, fix }]
  }
}

function publicFindings(visit: ProviderVisit, said: Said): readonly Finding[] {
  if (isBelieved(said)) return []
  const told = byKeycloak(visit, said)
  if (told !== undefined) return [told]
  if (isOtherFault(said)) return [refusal(visit, said)]
  if (visit.provider.kind === 'keycloak' && said.error === 'invalid_client') return [clientUnknown(visit)]
  const cause = `the client ${visit.provider.clientId} has to prove itself, and the file has no secret for it`
  const fix = `write ${visit.key('clientSecret')}, or make it a public client there`
  return [{ name: 'client-secret-missing', severity: 'error', place: visit.key('clientSecret'), cause, fix }]
}

const otherMethod = ({ key, provider }: ProviderVisit, ours: Method, theirs: Method): Finding => ({
  name: 'client-auth-method',
  severity: 'error',
  place: key('clientAuth'),
  cause: `the secret of ${provider.clientId} is right, but the provider does not take it as ${ours}`,
  fix: `write \`clientAuth: ${theirs}\``,
})

const refusal = ({ key, provider }: ProviderVisit, { error, description }: Said): Finding => ({
  name: 'client-refused',
  severity: 'error',
  place: key('clientId'),
  cause: `the token endpoint answers the client ${provider.clientId} with ${printable(error)}: ${description}`,
  fix: 'see that the client may use the authorization code grant; the log of the provider knows more',
})

export const clientOrSecretWrong = ({ key, provider }: ProviderVisit): Finding => ({
  name: 'client-or-secret-wrong',
  severity: 'error',
  place: key('clientSecret'),
  cause: `${provider.issuer} does not know the client ${provider.clientId}, or this is not its secret`,
  fix: 'copy both from the page of the client there',
})

/** Words that stand where a secret belongs: of examples, and of exports (ten asterisks are Keycloak's). */
const placeholder = /^(?:\*+|<.*>|\[.*\]|x+|.*(?:change.?me|replace.?me|placeholder|your[-_ ].*secret|todo).*)$/i

function wrongSecret({ key, provider }: ProviderVisit, secret: string, newline: boolean): Finding {
  const at = { severity: 'error', place: key('clientSecret') } as const
  if (newline) {
    const where = /[\r\n]/.test(secret)
      ? 'the secret here holds a line break'
      : 'the secret at the provider ends in a line break'
    const fix = 'make a new secret there, and copy it without one: `printf %s "$SECRET" > file`, not `echo`'
    return { ...at, name: 'client-secret-newline', cause: `${where}, so the two differ`, fix }
  }
  if (placeholder.test(secret)) {
    const cause = `the secret of ${provider.clientId} is refused, and looks like a placeholder nobody replaced`
    return {
      ...at,
      name: 'client-secret-placeholder',
      cause,
      fix: 'put the secret itself there, from the page of the client',
    }
  }
  const cause = `the provider knows ${provider.clientId}, and this is not its secret`
  const fix = 'copy the secret from the page of the client (Keycloak: Credentials); it may have been made anew there'
  return { ...at, name: 'wrong-client-secret', cause, fix }
}
