import type { HeadersConfig, HeaderTemplate, TemplatePart } from '../config/headers-config.ts'
import type { Identity } from '../core/identity.ts'
import type { Log } from '../core/log.ts'
import type { Tokens } from '../core/tokens.ts'
import type { Unmet } from '../core/verdict.ts'

/** One identity as headers, name and value in turn, ready for `writeHead` and for undici. */
export interface IdentityHeaders {
  /** For an upstream: names whose value is known. */
  readonly known: readonly string[]
  /**
   * For an ingress: every configured name on every answer, empty where unknown. A gateway that copies names
   * keeps the client's own value where the answer lacks one (Caddy CVE-2026-30851).
   */
  readonly all: string[]
  /** Why the upstream cannot be told of this identity: the request must not reach it. */
  readonly unfit?: Unmet
}

export type HeaderMaker = (identity: Identity | undefined, tokens: Tokens | undefined) => IdentityHeaders

/** Every name that any route sets, as written. These are the managed names of this file. */
export function configuredNames(routes: readonly { readonly headers: HeadersConfig }[]): readonly string[] {
  const names = new Map<string, string>()
  for (const { headers } of routes) {
    for (const { name } of headers.set) if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name)
  }
  return [...names.values()]
}

/** Compiles a route's templates. The result is called once per session and route, not once per request. */
export function compileHeaders(config: HeadersConfig, names: readonly string[], log: Log): HeaderMaker {
  const byName = new Map(config.set.map((template) => [template.name.toLowerCase(), template]))
  const nobody: IdentityHeaders = { known: [], all: names.flatMap((name) => [name, '']) }
  return (identity, tokens) => {
    if (identity === undefined) return nobody
    const known: string[] = []
    const all: string[] = []
    for (const name of names) {
      const template = byName.get(name.toLowerCase())
      const value = template === undefined ? '' : render(template, { identity, tokens, config, log })
      all.push(name, value)
      if (value !== '') known.push(name, value)
    }
    return { known, all }
  }
}

export interface Rendering {
  readonly identity: Identity
  readonly tokens: Tokens | undefined
  readonly config: Pick<HeadersConfig, 'encoding' | 'groupSeparator'>
  readonly log: Log
}

const render = ({ parts }: HeaderTemplate, rendering: Rendering): string =>
  encodeHeaderValue(templateText(parts, rendering), rendering.config.encoding)

/** Empty where a part is unknown: `Bearer ` alone would be a lie. */
export function templateText(parts: readonly TemplatePart[], rendering: Rendering): string {
  const texts = parts.map((part) => valueFor(part, rendering))
  return texts.some((text) => text === undefined || text === '') ? '' : texts.join('')
}

function valueFor(part: TemplatePart, { identity, tokens, config, log }: Rendering): string | undefined {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'sub':
      return identity.subject
    case 'username':
      return identity.username
    case 'email':
      return identity.email
    case 'name':
      return identity.name
    case 'groups':
      return joined(identity.groups, config.groupSeparator, log)
    case 'accessToken':
      return tokens?.accessToken
    case 'idToken':
      return tokens?.idToken
    case 'claim':
      return claimText(identity.claims[part.claim], config.groupSeparator, log)
  }
}

/** A value that holds the separator would read as two upstream: it is left out and said so. */
function joined(values: readonly unknown[], separator: string, log: Log): string {
  const texts = values.filter((value) => typeof value === 'string')
  const safe = texts.filter((text) => !text.includes(separator))
  if (safe.length < texts.length) {
    log.warn({ dropped: texts.length - safe.length, separator }, 'values that contain the separator were dropped')
  }
  return safe.join(separator)
}

function claimText(value: unknown, separator: string, log: Log): string | undefined {
  if (Array.isArray(value)) return joined(value, separator, log)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/**
 * Header values are bytes. ASCII passes as it is; anything else becomes percent-encoded UTF-8, the percent
 * sign included, or, with `utf8`, the bare UTF-8 bytes. Control characters never arrive here: the login that
 * brought them was refused.
 */
export function encodeHeaderValue(value: string, encoding: 'ascii' | 'utf8'): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the last line of defence against header injection
  if (/[\x00-\x1f\x7f]/.test(value)) return ''
  if (encoding === 'utf8') return Buffer.from(value, 'utf8').toString('latin1')
  return value.toWellFormed().replace(/%|[^\x20-\x7e]+/gu, (text) => encodeURIComponent(text))
}
