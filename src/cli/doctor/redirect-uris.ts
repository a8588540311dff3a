/** The redirect URIs a client lists, beside ours: compared to the letter, so a slash too many is another address. */
import type { ClientRepresentation } from '../keycloak/representations.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** Which of the listed ones is meant, and in what it differs. Undefined where none is alike. */
export function nearestUri(ours: string, listed: readonly string[]): string | undefined {
  for (const { what, isSame } of likenesses) {
    const near = listed.find((uri) => uri !== ours && isSame(uri, ours))
    if (near !== undefined) return `it lists ${near}, which differs ${what}`
  }
  return undefined
}

interface Likeness {
  readonly what: string
  isSame(one: string, other: string): boolean
}

const withoutSlash = (uri: string): string => uri.replace(/\/$/, '')
const without = (uri: string, ...parts: readonly ('protocol' | 'hostname' | 'port' | 'pathname')[]): string => {
  const url = URL.parse(uri)
  if (url === null) return uri
  const { protocol, hostname, port, pathname } = url
  return JSON.stringify({ protocol, hostname, port, pathname, ...Object.fromEntries(parts.map((part) => [part, ''])) })
}

const likenesses: readonly Likeness[] = [
  { what: 'in the slash at its end', isSame: (one, other) => withoutSlash(one) === withoutSlash(other) },
  { what: 'in capital letters', isSame: (one, other) => one.toLowerCase() === other.toLowerCase() },
  { what: 'in the port', isSame: (one, other) => without(one, 'port') === without(other, 'port') },
  {
    what: 'in the scheme',
    isSame: (one, other) => without(one, 'protocol', 'port') === without(other, 'protocol', 'port'),
  },
  { what: 'in the host', isSame: (one, other) => without(one, 'hostname') === without(other, 'hostname') },
  { what: 'in the path', isSame: (one, other) => without(one, 'pathname') === without(other, 'pathname') },
]

/** A wildcard sends the answer of a login to any page below it (RFC 9700 2.1). It works, so it is no fault. */
export function wildcardNotes(
  { provider, key, uris }: ProviderVisit,
  { redirectUris = [] }: ClientRepresentation,
): Finding[] {
  const loose = redirectUris.filter((uri) => uri.endsWith('*'))
  if (loose.length === 0) return []
  return [
    {
      name: 'redirect-uri-wildcard',
      severity: 'note',
      place: key('clientId'),
      cause: `the client ${provider.clientId} lists ${loose.join(' ')}, which lets every page below receive the answer of a login`,
      fix: `list ${uris.redirectUris.join(' and ')} instead, if nobody else uses this client`,
    },
  ]
}
