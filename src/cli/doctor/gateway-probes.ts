/** The ways by which gateways have been talked past their auth service, each as headers a stranger can send. */
import type { Config } from '../../config/config.ts'
import { configuredNames } from '../../gate/identity-headers.ts'
import type { FindingName } from './finding-names.ts'
import type { OutsideHeaders } from './outside-ask.ts'

export interface Probe {
  /** Name of the finding where it opens a door. */
  readonly name: FindingName
  readonly headers: OutsideHeaders
  readonly fix: string
}

/** Nobody has this name, and no application prints it by chance. */
export const canary = 'doorward-doctor-was-here'

const wellKnown = [
  'X-Auth-User',
  'X-Auth-Subject',
  'X-Auth-Email',
  'X-Auth-Groups',
  'X-Auth-Request-User',
  'X-Forwarded-User',
  'X-Remote-User',
  'Remote-User',
  'X-WEBAUTH-USER',
]

/**
 * What says who it is, to an application that believes it; then under the spelling that CGI and its kin read alike, which
 * no auth service can remove from what it does not forward. Apart, since a gateway may refuse the second alone.
 */
export const identityProbes = ({ routes }: Pick<Config, 'routes'>): readonly Probe[] =>
  spellings([...wellKnown, ...believed(routes)]).map((headers) => ({
    name: 'gateway-trusts-identity-header',
    headers,
    fix: 'let the gateway remove this header from what comes in, and ask about every request all the same',
  }))

/** The names that applications behind this file believe, in both spellings. */
export const passedProbes = ({ routes }: Pick<Config, 'routes'>): readonly OutsideHeaders[] =>
  spellings(believed(routes))

const believed = (routes: Config['routes']): readonly string[] =>
  configuredNames(routes).filter((name) => name.toLowerCase() !== 'authorization')

function spellings(names: readonly string[]): readonly OutsideHeaders[] {
  const written = names.map((name) => name.toLowerCase())
  return [written, written.map((name) => name.replaceAll('-', '_'))].map((all) =>
    Object.fromEntries(all.map((name) => [name, canary])),
  )
}

/** What says which address was asked for, to a gateway or auth service that believes it. */
export function forwardedProbe(open: URL): Probe {
  const path = open.pathname
  return {
    name: 'gateway-trusts-forwarded-header',
    headers: {
      'x-forwarded-uri': path,
      'x-forwarded-path': path,
      'x-forwarded-method': 'GET',
      'x-forwarded-host': open.host,
      'x-forwarded-proto': open.protocol.slice(0, -1),
      'x-original-url': open.href,
      'x-original-uri': path,
      'x-original-method': 'GET',
      'x-rewrite-url': path,
      path,
      method: 'GET',
    },
    fix: 'let the gateway set this header from the request itself, whatever the client sent (docs/gateways)',
  }
}
