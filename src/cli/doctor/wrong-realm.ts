import { discoveryUrl } from '../../issuer/discovery-answer.ts'
import type { Finding } from './finding.ts'
import { realmNames } from './keycloak-realms.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** 404 to discovery: the realm, or the path in front of it, is another. Neighbouring addresses are tried. */
export async function realmMissing(visit: ProviderVisit, url: URL): Promise<Finding> {
  const { provider, key } = visit
  const at = { severity: 'error', place: key('issuer') } as const
  const working = await firstAnswering(visit, withOtherBase(provider.issuer))
  if (working !== undefined) {
    const cause = `${url.href} answered 404: Keycloak is at another base path, ${new URL(working).pathname} answers`
    return { ...at, name: 'issuer-base-path', cause, fix: `write \`issuer: ${working}\`` }
  }
  const realm = decodeURIComponent(provider.issuer.split('/realms/')[1] ?? '')
  const isKeycloak = (await firstAnswering(visit, [masterOf(provider.issuer)])) !== undefined
  if (realm === '' || !(isKeycloak || provider.kind === 'keycloak')) {
    const cause = `${url.href} answered 404`
    return { ...at, name: 'discovery-unusable', cause, fix: 'compare issuer with what the provider calls itself' }
  }
  const names = await realmNames(visit)
  const known = names === undefined ? '' : `; it has ${names.slice(0, 20).join(', ')}`
  const cause = `Keycloak at ${url.origin} knows no realm “${realm}”${known}`
  const near = names?.find((name) => name.toLowerCase() === realm.toLowerCase())
  const fix =
    near === undefined
      ? 'write the realm as Keycloak has it, at the end of issuer: capital letters count'
      : `write \`issuer: ${provider.issuer.replace(/[^/]+$/, near)}\`: capital letters count`
  return { ...at, name: 'wrong-realm', cause, fix }
}

/** Keycloak left /auth behind with version 17; many kept it, by --http-relative-path or by a proxy. */
function withOtherBase(issuer: string): string[] {
  const url = new URL(issuer)
  const path = url.pathname.startsWith('/auth/') ? url.pathname.slice('/auth'.length) : `/auth${url.pathname}`
  return [url.origin + path]
}

const masterOf = (issuer: string): string => issuer.replace(/\/realms\/.*$/, '/realms/master')

async function firstAnswering({ transport, signal }: ProviderVisit, issuers: readonly string[]) {
  for (const issuer of issuers) {
    const answer = await transport.fetch(discoveryUrl(issuer), { signal }).catch(() => undefined)
    if (answer?.status === 200) return issuer
  }
  return undefined
}
