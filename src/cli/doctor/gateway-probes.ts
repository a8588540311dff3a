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

/** What says who it is, to an application that believes it. */
export function identityProbe({ routes }: Pick<Config, 'routes'>): Probe {
  const names = configuredNames(routes).filter((name) => name.toLowerCase() !== 'authorization')
  return {
    name: 'gateway-trusts-identity-header',
    headers: Object.fromEntries([...wellKnown, ...names].map((name) => [name.toLowerCase(), canary])),
    fix: 'let the gateway remove this header from what comes in, and ask about every request all the same',
  }
}

/** The names that applications behind this file believe. */
export function passedProbe({ routes }: Pick<Config, 'routes'>): OutsideHeaders {
  const names = configuredNames(routes).filter((name) => name.toLowerCase() !== 'authorization')
  return Object.fromEntries(names.map((name) => [name.toLowerCase(), canary]))
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
