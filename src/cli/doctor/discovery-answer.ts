/** What the provider says of itself, as an answer to the address the file names. */
import { readJson, readMembers } from '../../core/foreign-json.ts'
import { isJsonObject } from '../../core/strict-json.ts'
import { type DiscoveryAnswer as Asked, askDiscovery, discoveryUrl } from '../../issuer/discovery-answer.ts'
import { ProviderUnreachable } from '../../issuer/transport.ts'
import { clockFindings } from './clock-skew.ts'
import type { Finding } from './finding.ts'
import { issuerMismatch } from './issuer-mismatch.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { wireFinding } from './provider-wire.ts'
import { realmMissing } from './wrong-realm.ts'

export interface DiscoveryAnswer {
  readonly findings: readonly Finding[]
  /** False: whatever else is wrong cannot be seen before this is right. */
  readonly usable: boolean
}

export async function examineDiscovery(visit: ProviderVisit): Promise<DiscoveryAnswer> {
  // Known without asking: every endpoint is pinned in the file.
  if (visit.oidc.knownMetadata() !== undefined) return { findings: [], usable: true }
  const url = discoveryUrl(visit.provider.issuer)
  try {
    const before = visit.clock.now()
    const asked = await askDiscovery(visit.transport, visit.provider.issuer, visit.signal)
    const findings = clockFindings(visit, asked.response, before)
    const unfit = await unfitness(visit, url, asked)
    return { findings: unfit === undefined ? findings : [...findings, unfit], usable: unfit === undefined }
  } catch (error) {
    if (!(error instanceof ProviderUnreachable)) throw error
    return { findings: [await wireFinding(visit, url, error)], usable: false }
  }
}

async function unfitness(visit: ProviderVisit, url: URL, asked: Asked): Promise<Finding | undefined> {
  const { provider, key } = visit
  const { response } = asked
  const text = await response.text()
  const at = { severity: 'error', place: key('issuer') } as const
  if (asked.redirect !== undefined) return redirected(visit, asked)
  if (response.status === 404) return realmMissing(visit, url)
  if (response.status === 403 && text.includes('HTTPS required')) return httpsRequired(visit)
  const document = response.status === 200 ? readJson(text) : undefined
  if (!isJsonObject(document)) {
    const cause = `${url.origin}${url.pathname} answered ${response.status}${response.status === 200 ? ' with something that is not JSON' : ''}`
    return { ...at, name: 'discovery-unusable', cause, fix: 'compare issuer with what the provider calls itself' }
  }
  return document.issuer === provider.issuer ? unfitDocument(visit, document) : issuerMismatch(visit, document.issuer)
}

/** Followed once, by hand, to tell what to write instead. The gateway itself does not leave the server it asked. */
async function redirected(visit: ProviderVisit, { place, response, redirect = '' }: Asked): Promise<Finding> {
  const { provider, transport, signal, key } = visit
  const location = URL.parse(response.headers.get('location') ?? '', place.href)
  const at = { name: 'discovery-redirect', severity: 'error' } as const
  const cause = `${place.href} answers ${response.status}${redirect}`
  if (provider.internalUrl !== undefined) {
    // The issuer may well be right: what stands in for its server is not.
    const isPublic = location === null || location.origin === new URL(provider.issuer).origin
    const fix = `${isPublic ? '' : `write \`internalUrl: ${location.origin}\`, or `}leave internalUrl out, or name an address that answers by itself`
    return { ...at, place: key('internalUrl'), cause, fix }
  }
  const next = location === null ? undefined : await transport.fetch(location, { signal }).catch(() => undefined)
  const issuer = next?.status === 200 ? readMembers(await next.text()).issuer : undefined
  const fix =
    typeof issuer === 'string'
      ? `write \`issuer: ${issuer}\`, which is what the document there says`
      : 'write the issuer that answers without a redirect'
  return { ...at, place: key('issuer'), cause, fix }
}

export const httpsRequired = ({ key }: ProviderVisit): Finding => ({
  name: 'https-required',
  severity: 'error',
  place: key('issuer'),
  cause: 'Keycloak answers “HTTPS required”: it believes that the request came over plain http',
  fix: 'start Keycloak with --proxy-headers=xforwarded behind a proxy that ends TLS, and see that the proxy sends X-Forwarded-Proto',
})

/** The gateway's own judgement of the document, and of the keys it names. */
async function unfitDocument(visit: ProviderVisit, document: Record<string, unknown>): Promise<Finding | undefined> {
  const { oidc, key } = visit
  const at = { severity: 'error', place: key('issuer') } as const
  try {
    const { jwksUrl } = await oidc.metadata()
    const keys = await oidc.keySet.keys().catch((error: unknown) => {
      if (error instanceof ProviderUnreachable) return wireFinding(visit, jwksUrl!, error)
      throw error
    })
    if ('name' in keys) return keys
    if (keys.keys.length > 0) return undefined
    const cause = `${jwksUrl?.href} holds no key that could have signed a token`
    return { ...at, name: 'signing-keys', cause, fix: 'turn on an RS256 or ES256 key for signatures at the provider' }
  } catch (error) {
    const methods = document.code_challenge_methods_supported
    const offersS256 = !Array.isArray(methods) || methods.includes('S256')
    const cause = error instanceof Error ? error.message : String(error)
    if (!offersS256) return { ...at, name: 'pkce-not-offered', cause, fix: 'turn on PKCE with S256 at the provider' }
    return { ...at, name: 'discovery-unusable', cause, fix: 'pin what is missing under `endpoints` or `jwksUrl`' }
  }
}
