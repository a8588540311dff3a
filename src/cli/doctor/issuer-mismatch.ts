import { isLoopback } from '../../core/urls.ts'
import { discoveryUrl } from '../../issuer/discovery-answer.ts'
import { differenceOf } from '../../issuer/issuer-mismatch.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** The provider calls itself something else: names the difference, and the one line to change. */
export async function issuerMismatch(visit: ProviderVisit, said: unknown): Promise<Finding> {
  const { provider, key } = visit
  const at = { name: 'issuer-mismatch', severity: 'error', place: key('issuer') } as const
  const canonical = typeof said === 'string' && URL.canParse(said) ? said : undefined
  if (canonical === undefined) {
    const cause = `invalid issuer: expected ${provider.issuer}, got none`
    return { ...at, cause, fix: 'see that this is an OpenID provider: its discovery document names no issuer' }
  }
  const seen = canonical.slice(0, 300)
  const cause = `invalid issuer: expected ${provider.issuer}, got ${seen}${differenceOf(provider.issuer, canonical)}`
  return { ...at, cause, fix: await lineToChange(visit, seen) }
}

/** Where the canonical name cannot be reached from here, the name of the file stays good for our own calls. */
async function lineToChange({ provider, transport, signal }: ProviderVisit, canonical: string): Promise<string> {
  const line = `write \`issuer: ${canonical}\``
  const [ours, theirs] = [new URL(provider.issuer), new URL(canonical)]
  if (ours.protocol === 'https:' && theirs.protocol === 'http:' && ours.hostname === theirs.hostname) {
    return `start Keycloak with --proxy-headers=xforwarded and let the proxy that ends TLS send X-Forwarded-Proto, or with --hostname=${ours.origin}; the file is right`
  }
  if (new URL(canonical).origin === provider.internalUrl?.origin) {
    return `give the provider a fixed name, whoever asks: Keycloak with --hostname=${new URL(provider.issuer).origin}; internalUrl is for the way there alone`
  }
  if (provider.internalUrl !== undefined || !transport.allows(new URL(canonical))) return line
  if (new URL(canonical).origin === new URL(provider.issuer).origin) return line
  const answer = await transport.fetch(discoveryUrl(canonical), { signal }).catch(() => undefined)
  if (answer?.status === 200) return line
  const { origin } = new URL(provider.issuer)
  const wrongHost = isLoopback(new URL(canonical))
    ? '; if browsers elsewhere cannot reach that name, set the hostname of Keycloak'
    : ''
  return `${line}, and since that name does not answer here, \`internalUrl: ${origin}\` beside it${wrongHost}`
}
