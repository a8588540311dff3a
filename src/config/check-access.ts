/** Checks between routes and the ways to prove who it is: providers and bearer issuers. */
import type { BearerConfig, RouteConfig } from './config.ts'
import type { Problems } from './problems.ts'
import type { ResolvedProvider } from './resolve-provider.ts'
import { choosesPeople, readsEmail } from './resolve-requirements.ts'
import type { ResolvedRoute } from './resolve-route.ts'
import type { Resolving } from './resolving.ts'
import { nearest } from './spelling.ts'
import { keysOf, kindOf, valueAt } from './tree.ts'

export interface AccessChecks {
  readonly routes: readonly ResolvedRoute[]
  readonly providers: readonly ResolvedProvider[]
  readonly bearer: readonly BearerConfig[]
}

export function checkAccess(all: AccessChecks, { content, problems }: Resolving): void {
  const providerNames =
    valueAt(content, ['provider']) === undefined ? keysOf(valueAt(content, ['providers'])) : ['default']
  const bearerWritten = kindOf(valueAt(content, ['bearer'])) === 'list' && valueAt(content, ['bearer', 0]) !== undefined
  for (const route of all.routes) {
    checkAccept(route, providerNames.length > 0, bearerWritten, problems)
    checkProviderName(route, providerNames, problems)
  }
  for (const provider of all.providers) checkPublicProvider(provider, all.routes, problems)
}

function checkAccept(
  { path, config }: ResolvedRoute,
  hasProvider: boolean,
  hasBearer: boolean,
  problems: Problems,
): void {
  const at = [...path, 'accept']
  if (config.allow === 'public') {
    return
  }
  if (config.accept.includes('bearer') && !hasBearer && problems.clean(['bearer'])) {
    const hint = 'add bearer: [{ issuer: https://..., audience: ... }], or remove bearer here'
    problems.add(at, 'lets bearer tokens in, but the file names no issuer of them', hint)
  }
  if (config.accept.includes('session') && !hasProvider && problems.clean(['provider'], ['providers'])) {
    const message = 'needs people to sign in, but the file names no provider'
    problems.add(path, message, 'add provider: { issuer, clientId }, or write allow: public or accept: [bearer]')
  }
}

function checkProviderName({ path, config }: ResolvedRoute, names: readonly string[], problems: Problems): void {
  const { provider, allow } = config
  if (provider !== undefined && !names.includes(provider)) {
    const meant = nearest(provider, names)
    const hint =
      meant === undefined ? `providers named in the file: ${names.join(', ') || 'none'}` : `did you mean ${meant}?`
    problems.add([...path, 'provider'], `"${provider}" is not a provider of this file`, hint)
  }
  const byEmail = typeof allow === 'object' && readsEmail(allow) && config.accept.includes('session')
  if (byEmail && provider === undefined && names.length > 1) {
    const message = 'decides by e-mail, and an address means somebody else at another provider'
    problems.add([...path, 'allow'], message, `add provider: ${names[0]} (or another) to the route`)
  }
}

/** Issuers where the whole world has an account. */
const openIssuers = [
  /^https:\/\/accounts\.google\.com\/?$/,
  /^https:\/\/(?:login\.microsoftonline\.com|sts\.windows\.net)\/(?:common|organizations|consumers|9188040d-6c67-4c5b-b112-36a304b66dad)(?:\/|$)/,
  /^https:\/\/appleid\.apple\.com\/?$/,
  /^https:\/\/gitlab\.com\/?$/,
  /^https:\/\/(?:www|limited)\.facebook\.com\/?$/,
  /^https:\/\/www\.linkedin\.com\//,
  /^https:\/\/slack\.com\/?$/,
  /^https:\/\/id\.twitch\.tv\//,
]

function checkPublicProvider(provider: ResolvedProvider, routes: readonly ResolvedRoute[], problems: Problems): void {
  const { issuer, name } = provider.config
  if (provider.anyoneMaySignIn || !openIssuers.some((pattern) => pattern.test(issuer))) return
  for (const { path, config } of routes) {
    const reached = config.provider === undefined || config.provider === name
    if (!reached || !config.accept.includes('session') || !isOpen(config)) continue
    const message = `lets in everybody who has an account at ${new URL(issuer).host}: the whole world`
    const hint = 'name emails, emailDomains or claims under allow, or write anyoneMaySignIn: true at the provider'
    problems.add([...path, 'allow'], message, hint)
  }
}

const isOpen = ({ allow }: RouteConfig): boolean =>
  allow === 'signedIn' || allow === 'optional' || (typeof allow === 'object' && !choosesPeople(allow))
