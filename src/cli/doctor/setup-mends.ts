/** Findings that `doorward setup keycloak` makes go away, so that nobody has to look for the switch. */
import type { Finding } from './finding.ts'
import type { FindingName } from './finding-names.ts'
import type { ProviderVisit } from './provider-visit.ts'

const mended: ReadonlySet<FindingName> = new Set<FindingName>([
  'client-unknown',
  'client-disabled',
  'client-bearer-only',
  'wrong-client-secret',
  'client-secret-unchecked',
  'client-auth-method',
  'client-key-refused',
  'redirect-uri-not-registered',
  'post-logout-uri-not-registered',
  'flow-disabled',
  'pkce-refused',
  'par-required',
  'dpop-required',
  'iss-missing',
  'client-scopes-lost',
  'groups-mapper-missing',
  'groups-path-off',
  'audience-mapper-missing',
  'refresh-token-missing',
  'backchannel-logout-missing',
  'backchannel-logout-other-url',
])

export const isMended = (name: FindingName): boolean => mended.has(name)

/** The finding with the command, where it is one of those. */
export function withSetup(visit: ProviderVisit, finding: Finding): Finding {
  if (visit.provider.kind !== 'keycloak' || !isMended(finding.name)) return finding
  return { ...finding, command: commandFor(visit, finding) }
}

function commandFor({ provider, config, uris }: ProviderVisit, { name }: Finding): string {
  const which = config.providers.length > 1 ? ` --provider ${provider.name}` : ''
  // Any host with our path is kept unless another is asked for by name.
  const url = name === 'backchannel-logout-other-url' ? ` --backchannel-url ${uris.backchannelLogoutUri}` : ''
  return `doorward setup keycloak${which}${url}`
}
