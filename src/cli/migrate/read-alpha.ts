/** The alpha configuration of oauth2-proxy (YAML): what flags say too becomes theirs, the rest has types of its own. */
import { parse } from 'yaml'
import type { Environment } from '../../config/interpolate.ts'
import { CommandError } from '../world.ts'
import { type Given, give, type Source, type Unknown } from './given.ts'
import { nameAlone, type SettingName } from './settings.ts'
import { at, listAt, strings, textAt } from './tree.ts'

export interface AlphaUpstream {
  readonly path: string
  readonly uri: string
  readonly staticCode: number | undefined
  readonly rewriteTarget: string | undefined
  readonly passHostHeader: boolean
  readonly proxyWebSockets: boolean
  readonly timeout: string | undefined
  readonly place: string
}

export interface AlphaHeader {
  readonly name: string
  /** Of each value: `prefix` and claim. Undefined for a value that is no claim. */
  readonly values: readonly ({ readonly claim: string; readonly prefix: string } | undefined)[]
  readonly on: 'request' | 'response'
  readonly place: string
}

export interface Alpha extends Source {
  readonly upstreams: readonly AlphaUpstream[]
  readonly headers: readonly AlphaHeader[]
  /** Parameters of the login link: the value to send, and whether links may bring their own. */
  readonly parameters: readonly { readonly name: string; readonly value: string | undefined; readonly open: boolean }[]
}

/** Paths below a provider, and the flag that says the same. */
const ofProvider: Readonly<Record<string, SettingName>> = {
  provider: 'provider',
  name: 'provider-display-name',
  clientID: 'client-id',
  clientSecret: 'client-secret',
  clientSecretFile: 'client-secret-file',
  scope: 'scope',
  prompt: 'prompt',
  allowedGroups: 'allowed-group',
  caFiles: 'provider-ca-file',
  useSystemTrustStore: 'use-system-trust-store',
  code_challenge_method: 'code-challenge-method',
  backendLogoutURL: 'backend-logout-url',
  loginURL: 'login-url',
  redeemURL: 'redeem-url',
  profileURL: 'profile-url',
  validateURL: 'validate-url',
  skipClaimsFromProfileURL: 'skip-claims-from-profile-url',
  'oidcConfig.issuerURL': 'oidc-issuer-url',
  'oidcConfig.jwksURL': 'oidc-jwks-url',
  'oidcConfig.groupsClaim': 'oidc-groups-claim',
  'oidcConfig.emailClaim': 'oidc-email-claim',
  'oidcConfig.userIDClaim': 'user-id-claim',
  'oidcConfig.audienceClaims': 'oidc-audience-claim',
  'oidcConfig.extraAudiences': 'oidc-extra-audience',
  'oidcConfig.skipDiscovery': 'skip-oidc-discovery',
  'oidcConfig.insecureSkipNonce': 'insecure-oidc-skip-nonce',
  'oidcConfig.insecureSkipIssuerVerification': 'insecure-oidc-skip-issuer-verification',
  'oidcConfig.insecureAllowUnverifiedEmail': 'insecure-oidc-allow-unverified-email',
  'keycloakConfig.groups': 'allowed-group',
  'keycloakConfig.roles': 'allowed-role',
  'githubConfig.org': 'github-org',
  'githubConfig.team': 'github-team',
  'githubConfig.repo': 'github-repo',
  'githubConfig.token': 'github-token',
  'githubConfig.users': 'github-user',
  'gitlabConfig.group': 'gitlab-group',
  'gitlabConfig.projects': 'gitlab-project',
  'googleConfig.group': 'google-group',
  'googleConfig.adminEmail': 'google-admin-email',
  'googleConfig.serviceAccountJson': 'google-service-account-json',
  'azureConfig.tenant': 'azure-tenant',
  'microsoftEntraIDConfig.allowedTenants': 'entra-id-allowed-tenant',
}

/** Elsewhere in the file. */
const ofFile: Readonly<Record<string, SettingName>> = {
  'server.bindAddress': 'http-address',
  'server.secureBindAddress': 'https-address',
  'metricsServer.bindAddress': 'metrics-address',
  'metricsServer.secureBindAddress': 'metrics-secure-address',
}

/** @throws CommandError where it is no YAML map */
export const readAlpha = (text: string, file: string, env: Environment): Alpha => alphaOf(mapIn(text, file), file, env)

/** @param tree a map, as it was read */
export function alphaOf(tree: object, file: string, env: Environment): Alpha {
  const [provider, ...others] = listAt(tree, 'providers')
  const given: Given[] = []
  const unknown: Unknown[] = others.map((_, index) => {
    const written = `providers[${index + 1}]`
    return { written, place: `${written} (${file})` }
  })
  const collect = (root: unknown, names: Readonly<Record<string, SettingName>>, at: string, strangers: boolean) => {
    for (const [path, value] of leavesOf(root)) {
      const name = names[path] ?? names[path.replace(/^[A-Z]\w*/, (key) => key[0]!.toLowerCase() + key.slice(1))]
      const place = `${at}${nameAlone(path)} (${file})`
      if (name !== undefined) given.push(give(name, value, place, { env, isList: true }))
      else if (strangers && path !== 'id' && !path.startsWith('loginURLParameters'))
        unknown.push({ written: nameAlone(path), place })
    }
  }
  collect(provider, ofProvider, 'providers[0].', true)
  // As there: keys of the server may begin with a capital.
  collect(
    { server: lowerKeys(at(tree, 'server')), metricsServer: lowerKeys(at(tree, 'metricsServer')) },
    ofFile,
    '',
    false,
  )
  return {
    given,
    unknown,
    upstreams: upstreamsIn(tree, file),
    headers: [...headersIn(tree, 'request', file), ...headersIn(tree, 'response', file)],
    parameters: listAt(provider, 'loginURLParameters').map((parameter) => ({
      name: textAt(parameter, 'name') ?? '',
      value: strings(at(parameter, 'default'))[0],
      open: listAt(parameter, 'allow').length > 0,
    })),
  }
}

function mapIn(text: string, file: string): object {
  const hint = 'write the file as for --alpha-config of oauth2-proxy'
  try {
    const tree: unknown = parse(text, { maxAliasCount: 100, logLevel: 'silent' })
    if (typeof tree === 'object' && tree !== null && !Array.isArray(tree)) return tree
  } catch {
    // The parser's own words may quote a secret.
  }
  throw new CommandError(`${file}: this is no YAML map`, hint)
}

function upstreamsIn(tree: unknown, file: string): AlphaUpstream[] {
  const listed = [...listAt(tree, 'upstreams'), ...listAt(at(tree, 'upstreamConfig'), 'upstreams')]
  return listed.map((upstream, index) => ({
    path: textAt(upstream, 'path') ?? '/',
    uri: textAt(upstream, 'uri') ?? '',
    staticCode: at(upstream, 'static') === true ? Number(at(upstream, 'staticCode') ?? 200) : undefined,
    rewriteTarget: textAt(upstream, 'rewriteTarget'),
    passHostHeader: at(upstream, 'passHostHeader') !== false,
    proxyWebSockets: at(upstream, 'proxyWebSockets') !== false,
    timeout: textAt(upstream, 'timeout'),
    place: `upstreams[${index}] (${file})`,
  }))
}

function headersIn(tree: unknown, on: 'request' | 'response', file: string): AlphaHeader[] {
  const key = on === 'request' ? 'injectRequestHeaders' : 'injectResponseHeaders'
  return listAt(tree, key).map((header, index) => ({
    name: textAt(header, 'name') ?? '',
    values: listAt(header, 'values').map((value) => {
      const source = at(value, 'claimSource') ?? value
      const claim = textAt(source, 'claim')
      const isClaim = claim !== undefined && at(source, 'basicAuthPassword') === undefined
      return isClaim ? { claim, prefix: textAt(source, 'prefix') ?? '' } : undefined
    }),
    on,
    place: `${key}[${index}] (${file})`,
  }))
}

const lowerKeys = (node: unknown): unknown =>
  typeof node === 'object' && node !== null
    ? Object.fromEntries(Object.entries(node).map(([key, value]) => [key[0]!.toLowerCase() + key.slice(1), value]))
    : undefined

/** `oidcConfig.issuerURL` and its texts. */
function leavesOf(node: unknown, before = ''): [path: string, values: string[]][] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]): [string, string[]][] => {
    const path = before === '' ? key : `${before}.${key}`
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value)
    return nested ? leavesOf(value, path) : [[path, strings(value)]]
  })
}
