import { foldHeaderName } from '../core/header-name.ts'
import { normaliseHost } from '../core/target.ts'
import type { CorsConfig, RouteConfig, UpstreamConfig } from './config.ts'
import { checkHeaderNames } from './header-names.ts'
import type { HeadersConfig, HeaderTemplate } from './headers-config.ts'
import { type IdentityHeaderSet, identityHeaders } from './identity-headers.ts'
import type { KeyPath } from './problems.ts'
import { resolveImpersonate } from './resolve-impersonate.ts'
import { resolveRequirements } from './resolve-requirements.ts'
import { noteFile, type Resolving } from './resolving.ts'
import { routeSchema } from './schema-route.ts'
import { readSecret } from './secrets.ts'
import { readShape } from './shape.ts'
import { valueAt } from './tree.ts'

type Shape = ReturnType<typeof routeSchema.parse>

/** A route with its place in the file, for the checks across routes. */
export interface ResolvedRoute {
  readonly path: KeyPath
  readonly config: RouteConfig
}

export interface RouteDefaults {
  readonly identityHeaders: IdentityHeaderSet
  /** Scheme of publicUrl: its own port is not part of a host. */
  readonly scheme: 'http' | 'https'
}

/** The routes in the order of the file. Broken ones are reported and left out. */
export function resolveRoutes(context: Resolving, defaults: RouteDefaults): ResolvedRoute[] {
  const written = valueAt(context.content, ['routes'])
  if (!Array.isArray(written) || written.length === 0) {
    const message =
      written === undefined ? 'is missing' : Array.isArray(written) ? 'is an empty list' : 'must be a list'
    context.problems.add(['routes'], message, 'write at least one: routes: [{ allow: signedIn }]')
    return []
  }
  return written.flatMap((_, index) => {
    const path = ['routes', index]
    checkHeaderNames(context.content, [...path, 'headers'], context.problems)
    checkHeaderNames(context.content, [...path, 'respond', 'headers'], context.problems)
    const shape = readShape(routeSchema, context.content, path, context.problems)
    return shape === undefined ? [] : [{ path, config: resolveRoute(path, shape, defaults, context) }]
  })
}

function resolveRoute(path: KeyPath, shape: Shape, defaults: RouteDefaults, context: Resolving): RouteConfig {
  const host = shape.host === undefined ? undefined : (normaliseHost(shape.host, defaults.scheme) ?? shape.host)
  const { allow, upstream, cors, impersonate } = shape
  return {
    name: shape.name ?? `${host ?? ''}${shape.path}`,
    host,
    path: shape.path,
    methods: shape.methods,
    allow: typeof allow === 'string' ? allow : resolveRequirements(allow, [...path, 'allow'], context),
    accept: [...new Set(shape.accept)],
    provider: shape.provider,
    upstream: upstream === undefined ? undefined : resolveUpstream(upstream, context),
    respond: shape.respond,
    headers: resolveHeaders(path, shape, defaults, context),
    impersonate: impersonate && resolveImpersonate([...path, 'impersonate'], impersonate, context),
    assertionAudience: shape.assertionAudience,
    encodedSlashes: shape.encodedSlashes,
    origins: shape.origins,
    cors: cors === undefined ? undefined : resolveCors(cors),
    dropCookies: shape.dropCookies,
    upgrades: shape.upgrades,
  }
}

function resolveUpstream(shape: NonNullable<Shape['upstream']>, context: Resolving): UpstreamConfig {
  const { url, socketPath } = shape.url
  const { clientCertificate, ca } = shape
  return {
    url: new URL(url.origin),
    socketPath,
    stripPrefix: shape.stripPrefix,
    addPrefix: url.pathname.replace(/\/+$/, '') + (shape.addPrefix ?? ''),
    host: shape.host,
    caFile: ca === undefined ? undefined : noteFile(ca, context),
    clientCertificate:
      clientCertificate === undefined
        ? undefined
        : { certFile: noteFile(clientCertificate.cert, context), keyFile: noteFile(clientCertificate.key, context) },
    connectTimeout: shape.connectTimeout,
    headersTimeout: shape.headersTimeout,
    bodyTimeout: shape.bodyTimeout,
    maxBody: shape.maxBody,
    connections: shape.connections,
  }
}

/** The route's own headers come after the set and replace what it says under the same name. */
function resolveHeaders(path: KeyPath, shape: Shape, defaults: RouteDefaults, context: Resolving): HeadersConfig {
  const own: HeaderTemplate[] = Object.entries(shape.headers).map(([name, parts]) => ({ name, parts }))
  const ownNames = new Set(own.map(({ name }) => foldHeaderName(name)))
  const set = identityHeaders[shape.identityHeaders ?? defaults.identityHeaders]
  return {
    set: [...set.filter(({ name }) => !ownNames.has(foldHeaderName(name))), ...own],
    encoding: shape.encoding,
    groupSeparator: shape.groupSeparator,
    basicAuth: resolveBasicAuth(path, shape, context),
    forwardAuthorization: shape.forwardAuthorization,
  }
}

function resolveBasicAuth(path: KeyPath, { basicAuth }: Shape, context: Resolving): HeadersConfig['basicAuth'] {
  if (basicAuth === undefined) return undefined
  const at = [...path, 'basicAuth']
  const { username } = basicAuth
  // RFC 7617 2: the first colon ends the user name.
  if (username.includes(':'))
    context.problems.add([...at, 'username'], 'holds a colon', 'a user name for Basic has none')
  const password = readSecret(basicAuth.password, [...at, 'password'], context)
  return password === undefined ? undefined : { username, password }
}

const resolveCors = (cors: NonNullable<Shape['cors']>): CorsConfig => ({
  ...cors,
  maxAge: Math.floor(cors.maxAge / 1000),
})
