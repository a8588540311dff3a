/** Checks between routes and the ways to prove who it is: providers and bearer issuers. */
import type { BearerConfig } from './bearer-config.ts'
import type { RouteConfig } from './config.ts'
import type { Problems } from './problems.ts'
import type { ResolvedProvider } from './resolve-provider.ts'
import { choosesPeople, namesRead } from './resolve-requirements.ts'
import type { ResolvedRoute } from './resolve-route.ts'
import type { Resolving } from './resolving.ts'
import { nearest } from './spelling.ts'
import { keysOf, valueAt } from './tree.ts'

export interface AccessChecks {
  readonly routes: readonly ResolvedRoute[]
  readonly providers: readonly ResolvedProvider[]
  readonly bearer: readonly BearerConfig[]
}

export function checkAccess(all: AccessChecks, { content, problems }: Resolving): void {
  const providerNames =
    valueAt(content, ['provider']) === undefined ? keysOf(valueAt(content, ['providers'])) : ['default']
  const entries = valueAt(content, ['bearer'])
  const headers = Array.isArray(entries) ? entries.map((entry) => valueAt(entry, ['header'])) : []
  const bearerWritten = headers.some((header) => header === undefined)
  const sourceWritten = headers.some((header) => header !== undefined)
  for (const route of all.routes) {
    checkAccept(route, { provider: providerNames.length > 0, bearer: bearerWritten, source: sourceWritten }, problems)
    checkProviderName(route, providerNames, problems)
  }
  for (const route of all.routes) checkNames(route, all.providers, providerNames, problems)
  for (const provider of all.providers) checkPublicProvider(provider, all.routes, problems)
}

function checkAccept(
  { path, config }: ResolvedRoute,
  has: { readonly provider: boolean; readonly bearer: boolean; readonly source: boolean },
  problems: Problems,
): void {
  const at = [...path, 'accept']
  if (config.allow === 'public') {
    return
  }
  if (config.accept.includes('bearer') && !has.bearer && problems.clean(['bearer'])) {
    const hint = 'add bearer: [{ issuer: https://..., audience: ... }], or remove bearer here'
    problems.add(at, 'lets bearer tokens in, but the file names no issuer of them', hint)
  }
  if (
    config.accept.includes('session') &&
    !has.provider &&
    !has.source &&
    problems.clean(['provider'], ['providers'])
  ) {
    const message = 'needs people to sign in, but the file names no provider'
    problems.add(path, message, 'add provider: { issuer, clientId }, or write allow: public or accept: [bearer]')
  }
}

function checkProviderName({ path, config }: ResolvedRoute, names: readonly string[], problems: Problems): void {
  const { provider } = config
  if (provider === undefined || names.includes(provider)) return
  const meant = nearest(provider, names)
  const hint =
    meant === undefined ? `providers named in the file: ${names.join(', ') || 'none'}` : `did you mean ${meant}?`
  problems.add([...path, 'provider'], `"${provider}" is not a provider of this file`, hint)
}

/**
 * An address or a user name is unique within one provider alone: at the other, somebody else may have it. So are
 * groups where one of them is GitHub, at which anybody can create an organisation with the name of a group.
 */
function checkNames(
  { path, config }: ResolvedRoute,
  providers: readonly ResolvedProvider[],
  names: readonly string[],
  problems: Problems,
): void {
  const { provider, allow, accept } = config
  if (names.length < 2 || provider !== undefined || typeof allow !== 'object' || !accept.includes('session')) return
  const hint = `add provider: ${names[0]} (or another) to the route`
  const read = namesRead(allow)
  const at = [...path, 'allow']
  if (read.has('email')) {
    problems.add(at, 'decides by e-mail, and an address means somebody else at another provider', hint)
  }
  if (read.has('username')) {
    problems.add(at, 'decides by user name, and a name means somebody else at another provider', hint)
  }
  const gitHub = providers.find((one) => one.config.kind === 'github')
  if (gitHub !== undefined && read.has('groups')) {
    const message = `decides by groups, and at ${gitHub.config.name} anybody can create an organisation of that name`
    problems.add(at, message, hint)
  }
}

/** Issuers where the whole world has an account. */
const openIssuers = [
  /^https:\/\/github\.com\/?$/,
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
  const { allowedOrgs, allowedEmails } = provider.config
  if (allowedOrgs !== undefined || allowedEmails !== undefined) return
  if (provider.anyoneMaySignIn || !openIssuers.some((pattern) => pattern.test(issuer))) return
  for (const { path, config } of routes) {
    const reached = config.provider === undefined || config.provider === name
    if (!reached || !config.accept.includes('session') || !isOpen(config)) continue
    const message = `lets in everybody who has an account at ${new URL(issuer).host}: the whole world`
    const orgs = provider.config.kind === 'github' ? 'allowedOrgs or ' : ''
    const hint = `name emails, groups or claims under allow, or write ${orgs}allowedEmails or anyoneMaySignIn: true at the provider`
    problems.add([...path, 'allow'], message, hint)
  }
}

const isOpen = ({ allow }: RouteConfig): boolean =>
  allow === 'signedIn' || allow === 'optional' || (typeof allow === 'object' && !choosesPeople(allow))
