import path from 'node:path'
import type { z } from 'zod'
import { accountKindClaim } from '../core/account-kind.ts'
import { randomToken } from '../core/encoding.ts'
import { Secret } from '../core/secret.ts'
import { checkAccess } from './check-access.ts'
import { checkListeners } from './check-listeners.ts'
import { checkRoutes } from './check-routes.ts'
import type { Config, ImpersonateConfig, ProviderConfig } from './config.ts'
import type { TemplatePart } from './headers-config.ts'
import type { Environment } from './interpolate.ts'
import { reportUnknownKey } from './issues.ts'
import { resolveListenTls } from './listen-tls.ts'
import { ConfigError, type ConfigProblem, collectProblems } from './problems.ts'
import type { ParsedFile } from './read.ts'
import { resolveAssertion } from './resolve-assertion.ts'
import { resolveBearer } from './resolve-bearer.ts'
import { resolveBrand } from './resolve-brand.ts'
import { resolveProviders } from './resolve-provider.ts'
import { resolveRedis } from './resolve-redis.ts'
import { claimsOf } from './resolve-requirements.ts'
import { type ResolvedRoute, resolveRoutes } from './resolve-route.ts'
import { resolveSession } from './resolve-session.ts'
import type { Resolving } from './resolving.ts'
import { configFileSchema } from './schema.ts'
import { readShape } from './shape.ts'
import { keysOf, kindOf, valueAt } from './tree.ts'
import { addStoreNotes, addWarnings, type NetworkInterfaces } from './warnings.ts'

export interface ResolveOptions {
  readonly env: Environment
  /** `os.networkInterfaces()`, to notice that trustedProxies holds ourselves. */
  readonly networkInterfaces: NetworkInterfaces
  /** Key of a memory store without `session.secret`; a reload passes the one it has, so that sessions survive. */
  readonly ephemeralSecret?: Secret | undefined
}

export interface Resolved {
  readonly config: Config
  readonly warnings: readonly ConfigProblem[]
  /** Limits that come with what was chosen. Nothing is wrong, so strictness does not count them. */
  readonly notes: readonly ConfigProblem[]
}

/**
 * Fills in defaults, reads secrets and named files, and checks the file as a whole.
 * @throws ConfigError with every problem of the file
 */
export function resolveConfig(file: ParsedFile, options: ResolveOptions): Resolved {
  const { problems } = file
  const warnings = collectProblems(file.lineOf)
  const context: Resolving = {
    content: file.content,
    problems,
    warnings,
    env: options.env,
    directory: file.directory,
    files: new Set([path.resolve(file.path)]),
  }
  const config = resolveParts(context, file, options)
  if (problems.list().length > 0) throw new ConfigError(file.path, problems.list())
  for (const { path: at, name } of file.variables) {
    warnings.add(at, `\${${name}} comes from the environment, so a running process cannot see it change`)
  }
  addWarnings(config, warnings, options.networkInterfaces)
  const notes = collectProblems((at) =>
    valueAt(file.content, at.slice(0, 1)) === undefined ? undefined : file.lineOf(at),
  )
  addStoreNotes(config, valueAt(file.content, ['session', 'store']) !== undefined, notes)
  return { config, warnings: warnings.list(), notes: notes.list() }
}

function resolveParts(context: Resolving, file: ParsedFile, options: ResolveOptions): Config {
  const { problems } = context
  refuseUnknownKeys(context, file.path)
  const top = readTop(context)
  const { allowInsecureHttp, basePath } = top
  const publicUrls = top.publicUrl
  const scheme = publicUrls[0]?.protocol === 'http:' ? 'http' : 'https'
  const providers = resolveProviders(context, allowInsecureHttp)
  const bearer = resolveBearer(context, allowInsecureHttp)
  const makeKey = () => options.ephemeralSecret ?? new Secret(randomToken())
  const session = resolveSession(context, publicUrls, makeKey)
  const routes = resolveRoutes(context, { identityHeaders: top.identityHeaders, scheme })
  checkListeners(top, problems)
  const { forwardAuth, extAuthz } = top
  const fronts = { forwardAuth: forwardAuth !== undefined, extAuthz: extAuthz !== undefined }
  checkRoutes({ routes, publicUrls, basePath, ...fronts, session }, problems)
  checkAccess({ routes, providers, bearer }, context)
  const claimsKept = keptClaims(routes)
  return {
    publicUrls,
    basePath,
    listen: top.listen,
    tls: resolveListenTls(context, publicUrls),
    forwardAuth,
    extAuthz,
    operations: top.operations,
    providers: providers.map(({ config }) => ({ ...config, claimsKept: withAccountKind(config, claimsKept) })),
    session,
    redis: resolveRedis(context),
    bearer: bearer.map((entry) => ({ ...entry, claimsKept })),
    assertion: resolveAssertion(context, routes),
    compatibility: top.compatibility,
    trustedProxies: top.trustedProxies,
    allowInsecureHttp,
    routes: routes.map(({ config }) => config),
    login: top.login,
    brand: resolveBrand(context),
    log: top.log,
    limits: top.limits,
    files: [...context.files],
    hash: file.hash,
  }
}

function refuseUnknownKeys({ content, problems }: Resolving, file: string): void {
  if (kindOf(content) !== 'map') {
    problems.add([], 'the file must be a map of keys', 'start from config.example.yaml')
    throw new ConfigError(file, problems.list())
  }
  const known = Object.keys(configFileSchema.shape)
  for (const key of keysOf(content)) if (!known.includes(key)) reportUnknownKey([key], problems)
}

/** The keys of the top level that need no more than their schema. Broken ones take their defaults. */
function readTop({ content, problems }: Resolving) {
  const { shape } = configFileSchema
  const read = <S extends z.ZodType>(key: keyof typeof shape, schema: S) => readShape(schema, content, [key], problems)
  read('version', shape.version)
  const workers = read('workers', shape.workers)
  if (workers !== undefined && workers > 1) {
    problems.add(
      ['workers'],
      'this version runs one process',
      'write workers: 1, or run several replicas with session.store: redis or cookie',
    )
  }
  const operations = read('operations', shape.operations)
  const compatibility = read('compatibility', shape.compatibility)
  // Their defaults where the file does not say: the registered redirect URI and the header names are to stay.
  const defaults =
    compatibility === undefined
      ? ({ basePath: '/_doorward', identityHeaders: 'default' } as const)
      : ({ basePath: '/oauth2', identityHeaders: 'oauth2-proxy' } as const)
  const written = (key: 'basePath' | 'identityHeaders') => valueAt(content, [key]) !== undefined
  return {
    compatibility,
    publicUrl: read('publicUrl', shape.publicUrl) ?? [],
    basePath: (written('basePath') ? read('basePath', shape.basePath) : undefined) ?? defaults.basePath,
    listen: read('listen', shape.listen) ?? { host: '0.0.0.0', port: 4180 },
    forwardAuth: read('forwardAuth', shape.forwardAuth),
    extAuthz: read('extAuthz', shape.extAuthz),
    operations: operations === 'off' ? undefined : operations,
    trustedProxies: read('trustedProxies', shape.trustedProxies) ?? [],
    allowInsecureHttp: read('allowInsecureHttp', shape.allowInsecureHttp) ?? false,
    identityHeaders:
      (written('identityHeaders') ? read('identityHeaders', shape.identityHeaders) : undefined) ??
      defaults.identityHeaders,
    login: read('login', shape.login) ?? shape.login.parse({}),
    log: read('log', shape.log) ?? shape.log.parse({}),
    limits: read('limits', shape.limits) ?? shape.limits.parse({}),
  }
}

/** Claims that rules and templates mention; sessions keep no others. */
function keptClaims(routes: readonly ResolvedRoute[]): string[] {
  const mentioned = routes.flatMap(({ config: { allow, headers, impersonate } }) => [
    ...(typeof allow === 'string' ? [] : claimsOf(allow)),
    ...[...headers.set.map(({ parts }) => parts), ...templatesOf(impersonate)].flatMap(claimsIn),
  ])
  return [...new Set(mentioned)].sort()
}

const claimsIn = (parts: readonly TemplatePart[]): string[] =>
  parts.flatMap((part) => (part.kind === 'claim' ? [part.claim] : []))

const templatesOf = (impersonate: ImpersonateConfig | undefined): (readonly TemplatePart[])[] =>
  impersonate === undefined
    ? []
    : [impersonate.user, impersonate.uid ?? [], ...impersonate.extra.map(({ parts }) => parts)]

/** Asked for where the file has words for its values. */
const withAccountKind = ({ accountKinds }: ProviderConfig, claims: readonly string[]): readonly string[] =>
  Object.keys(accountKinds).length === 0 ? claims : [...new Set([...claims, accountKindClaim])]
