/** Cross-origin answers of a route with `cors:` (Fetch standard, 3.2). */
import type { CorsConfig } from '../config/config.ts'

export interface PreflightQuestion {
  readonly origin: string | undefined
  /** Access-Control-Request-Method. */
  readonly method: string | undefined
  /** Access-Control-Request-Headers. */
  readonly headers: string | undefined
}

export interface PreflightAnswer {
  readonly status: 204 | 403
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

/** A real preflight carries no credentials, so it cannot be asked for any; everything short of one can. */
export const isPreflight = (method: string, { origin, method: announced }: PreflightQuestion): boolean =>
  method === 'OPTIONS' && origin !== undefined && announced !== undefined && announced !== ''

const preflightVary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

/** For `preflight: answer`. A method or header off the list is left out of the answer; the browser then stops. */
export function preflightAnswer(cors: CorsConfig, { origin, headers }: PreflightQuestion): PreflightAnswer {
  const allowed = corsHeaders(cors, origin)
  if (allowed === undefined) return { status: 403, headers: { vary: preflightVary } }
  const names = allowedHeaders(cors, headers)
  return {
    status: 204,
    headers: {
      ...allowed,
      'access-control-allow-methods': cors.methods.join(', '),
      ...(names !== '' && { 'access-control-allow-headers': names }),
      'access-control-max-age': String(cors.maxAge),
      vary: preflightVary,
    },
  }
}

/** For our own answers (401, 403) on such a route; without them the page's script sees a network error. */
export function corsHeaders(
  cors: CorsConfig,
  origin: string | undefined,
): Readonly<Record<string, string>> | undefined {
  if (origin === undefined || !isCorsOrigin(cors, origin)) return undefined
  return {
    'access-control-allow-origin': origin,
    ...(cors.credentials && { 'access-control-allow-credentials': 'true' }),
    vary: 'Origin',
  }
}

/**
 * For the upstream's answers where preflights are answered here: our word in place of the upstream's, also for an origin
 * that may not call. An empty value: the upstream's own goes and nothing takes its place. Undefined where preflights
 * pass: then all of it is the upstream's business.
 */
export function upstreamCors(
  cors: CorsConfig,
  origin: string | undefined,
): Readonly<Record<string, string>> | undefined {
  if (cors.preflight === 'pass') return undefined
  const exposed = cors.exposeHeaders.join(', ')
  return {
    'access-control-allow-origin': '',
    'access-control-allow-credentials': '',
    ...corsHeaders(cors, origin),
    // Only the application knows what its scripts read, unless the file says it.
    ...(exposed !== '' && { 'access-control-expose-headers': exposed }),
    // Also without an origin: a copy in a cache must not answer for another one (Fetch standard, 3.2.5).
    vary: 'Origin',
  }
}

/** `*` never goes with credentials: it would hand the person's data to every site. `null` is nobody's origin. */
export const isCorsOrigin = (cors: CorsConfig, origin: string): boolean =>
  origin !== 'null' && (cors.origins.includes(origin) || (cors.origins.includes('*') && !cors.credentials))

/** `*` repeats what was asked for, since browsers take a literal `*` for a name when credentials are sent. */
function allowedHeaders({ headers }: CorsConfig, requested: string | undefined): string {
  if (!headers.includes('*')) return headers.join(', ')
  const names = (requested ?? '').split(',').map((name) => name.trim())
  return names.filter((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name)).join(', ')
}
