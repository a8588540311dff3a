import type { Sessions, SiteSessions } from '../session/open.ts'

/** One address of publicUrl: where people sign in. Pages and redirect URIs start with its origin, whatever Host says. */
export interface Site {
  readonly origin: string
  readonly host: string
  readonly scheme: 'http' | 'https'
  readonly sessions: SiteSessions
}

export interface Sites {
  /** In the order of the file; the first is where hosts without an address of their own sign in. */
  readonly all: readonly Site[]
  /** The site of a host; our pages are served nowhere else. */
  named(host: string): Site | undefined
}

export function createSites(publicUrls: readonly URL[], sessions: Sessions): Sites {
  const all = publicUrls.map((url): Site => {
    const own = sessions.at(url.origin)
    if (own === undefined) throw new Error(`no sessions were opened for ${url.origin}`)
    return { origin: url.origin, host: url.host, scheme: url.protocol === 'http:' ? 'http' : 'https', sessions: own }
  })
  const byHost = new Map(all.map((site) => [site.host, site]))
  return { all, named: (host) => byHost.get(host) }
}
