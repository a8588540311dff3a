import { isLoopback } from '../core/urls.ts'
import { checkGitHubKeys, gitHubIssuer, gitHubScopes } from './check-github.ts'
import type { ClientAuthConfig, ProviderConfig } from './config.ts'
import { reportMissing } from './issues.ts'
import type { KeyPath } from './problems.ts'
import { resolveEmails } from './resolve-requirements.ts'
import { noteFile, type Resolving } from './resolving.ts'
import { providerSchema } from './schema-provider.ts'
import { readSecret } from './secrets.ts'
import { readShape } from './shape.ts'
import { keysOf, valueAt } from './tree.ts'

type Shape = ReturnType<typeof providerSchema.parse> & { readonly issuer: string }

/** A provider with what only the checks of the whole file need. */
export interface ResolvedProvider {
  readonly path: KeyPath
  readonly config: ProviderConfig
  readonly anyoneMaySignIn: boolean
}

/** `provider:` as one named `default`, or the map `providers:`. Broken ones are reported and left out. */
export function resolveProviders(context: Resolving, allowInsecureHttp: boolean): ResolvedProvider[] {
  const { content, problems } = context
  const single = valueAt(content, ['provider']) !== undefined
  const names = keysOf(valueAt(content, ['providers']))
  if (single && valueAt(content, ['providers']) !== undefined) {
    problems.add(
      ['providers'],
      'stands beside provider',
      'keep one of the two; move provider into providers under a name',
    )
  }
  const places = [
    ...(single ? [['default', ['provider']] as const] : []),
    ...names.map((name) => [name, ['providers', name]] as const),
  ]
  return places.flatMap(([name, path]) => {
    checkName(name, path, context)
    const shape = readShape(providerSchema, content, path, problems)
    if (shape === undefined) return []
    const issuer = shape.issuer ?? (shape.kind === 'github' ? gitHubIssuer : undefined)
    if (issuer !== undefined) return [resolveProvider(name, path, { ...shape, issuer }, allowInsecureHttp, context)]
    if (problems.clean([...path, 'issuer'])) reportMissing([...path, 'issuer'], problems)
    return []
  })
}

function checkName(name: string, path: KeyPath, { problems }: Resolving): void {
  if (/^[a-z0-9][a-z0-9_-]{0,31}$/i.test(name)) return
  problems.add(
    path,
    'is not a name for a provider',
    'use letters, digits, dash and underscore: it is part of callback/<name>',
  )
}

function resolveProvider(
  name: string,
  path: KeyPath,
  shape: Shape,
  allowInsecureHttp: boolean,
  context: Resolving,
): ResolvedProvider {
  checkShape(path, shape, allowInsecureHttp, context)
  const { endpoints } = shape
  const config: ProviderConfig = {
    name,
    label: shape.label ?? (name === 'default' ? nameOf(shape.issuer) : name),
    kind: shape.kind,
    issuer: shape.issuer,
    internalUrl: shape.internalUrl,
    jwksUrl: shape.jwksUrl,
    endpoints: {
      authorization: endpoints.authorization,
      token: endpoints.token,
      userinfo: endpoints.userinfo,
      endSession: endpoints.endSession,
    },
    caFile: shape.ca === undefined ? undefined : noteFile(shape.ca, context),
    clientId: shape.clientId,
    clientAuth: resolveClientAuth(path, shape, context),
    scopes: scopesOf(shape, path, context),
    authorizationParameters: shape.parameters,
    allowedParameters: shape.allowedParameters,
    prompt: shape.prompt,
    allowedOrgs: shape.allowedOrgs,
    allowedEmails: resolveAllowedEmails(shape, path, context),
    trustUnverifiedEmail: shape.trustUnverifiedEmail,
    groupPaths: shape.groupPaths,
    groupsKept: shape.groupsKept,
    groupsClaim: shape.groupsClaim,
    accountKinds: shape.accountKinds,
    claimsKept: [],
    timeout: shape.timeout,
  }
  return { path, config, anyoneMaySignIn: shape.anyoneMaySignIn }
}

/** What people call an issuer. */
const nameOf = (issuer: string): string => (issuer === gitHubIssuer ? 'GitHub' : new URL(issuer).host)

function resolveAllowedEmails({ allowedEmails }: Shape, path: KeyPath, context: Resolving): string[] | undefined {
  return allowedEmails === undefined ? undefined : resolveEmails(allowedEmails, [...path, 'allowedEmails'], context)
}

function scopesOf({ kind, scopes }: Shape, path: KeyPath, { content }: Resolving): string[] {
  if (kind !== 'github') return [...new Set(['openid', ...scopes])]
  return valueAt(content, [...path, 'scopes']) === undefined ? [...gitHubScopes] : [...new Set(scopes)]
}

/** Parameters the login flow sets itself; a second value would weaken it (RFC 6749 3.1). */
const ownParameters = new Set([
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
  'client_secret',
])

function checkShape(path: KeyPath, shape: Shape, allowInsecureHttp: boolean, context: Resolving): void {
  const { problems, warnings } = context
  checkGitHubKeys(path, shape, context)
  if (shape.kind === 'keycloak' && !/\/realms\/[^/]+$/.test(shape.issuer)) {
    warnings.add(
      [...path, 'issuer'],
      'a Keycloak issuer ends in /realms/<realm>',
      'compare it with `iss` of a token, to the letter',
    )
  }
  const browserUrls = {
    issuer: new URL(shape.issuer),
    authorization: shape.endpoints.authorization,
    endSession: shape.endpoints.endSession,
  }
  for (const [key, url] of Object.entries(browserUrls)) {
    if (url === undefined || url.protocol === 'https:' || isLoopback(url) || allowInsecureHttp) continue
    const at = key === 'issuer' ? [...path, key] : [...path, 'endpoints', key]
    problems.add(
      at,
      'is plain http off this machine',
      'use https; for calls inside a cluster set internalUrl; or write allowInsecureHttp: true',
    )
  }
  for (const name of [...Object.keys(shape.parameters), ...shape.allowedParameters]) {
    if (!ownParameters.has(name)) continue
    const key = Object.hasOwn(shape.parameters, name) ? 'parameters' : 'allowedParameters'
    problems.add(
      [...path, key],
      `${name} is set by the login itself`,
      'remove it; clientId, scopes and prompt have keys of their own',
    )
  }
}

function resolveClientAuth(path: KeyPath, shape: Shape, context: Resolving): ClientAuthConfig {
  const { problems } = context
  const written = typeof shape.clientAuth === 'object' ? shape.clientAuth : { method: shape.clientAuth }
  const method = written.method ?? (shape.clientSecret === undefined ? 'none' : 'client_secret_basic')
  const at = [...path, 'clientAuth']
  const secret =
    shape.clientSecret === undefined ? undefined : readSecret(shape.clientSecret, [...path, 'clientSecret'], context)
  if (method === 'private_key_jwt') {
    const reference = 'key' in written ? written.key : undefined
    if (reference === undefined && problems.clean([...at, 'key'])) {
      problems.add(
        at,
        'private_key_jwt needs a key',
        'write clientAuth: { method: private_key_jwt, key: { file: key.pem } }',
      )
    }
    const key = reference === undefined ? undefined : readSecret(reference, [...at, 'key'], context)
    if (key === undefined) return { method: 'none' }
    return {
      method,
      key,
      keyId: 'keyId' in written ? written.keyId : undefined,
      algorithm: 'algorithm' in written ? written.algorithm : undefined,
    }
  }
  if (method === 'none') {
    if (shape.clientSecret !== undefined)
      problems.add(at, 'none does not use the clientSecret', 'remove one of the two')
    return { method }
  }
  if (shape.clientSecret === undefined && problems.clean([...path, 'clientSecret'])) {
    problems.add(at, `${method} needs a clientSecret`, 'add clientSecret: { file: /run/secrets/client-secret }')
  }
  return secret === undefined ? { method: 'none' } : { method, secret }
}
