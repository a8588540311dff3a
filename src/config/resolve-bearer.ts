import { isLoopback } from '../core/urls.ts'
import type { BearerConfig, JsonWebKeyLike } from './bearer-config.ts'
import type { KeyPath } from './problems.ts'
import { noteFile, type Resolving, readNamedFile } from './resolving.ts'
import { bearerSchema } from './schema-bearer.ts'
import { readShape } from './shape.ts'
import { kindOf, valueAt } from './tree.ts'

const largestKeyFile = 256 * 1024

/** The issuers API clients may bring tokens of. Broken entries are reported and left out. */
export function resolveBearer(context: Resolving, allowInsecureHttp: boolean): BearerConfig[] {
  const written = valueAt(context.content, ['bearer'])
  if (written === undefined) return []
  if (!Array.isArray(written)) {
    const hint = kindOf(written) === 'map' ? 'write a dash before its first key' : 'write a list of maps'
    context.problems.add(['bearer'], 'must be a list', hint)
    return []
  }
  return written.flatMap((_, index) => {
    const path = ['bearer', index]
    const shape = readShape(bearerSchema, context.content, path, context.problems)
    if (shape === undefined) return []
    const issuer = new URL(shape.issuer)
    if (issuer.protocol !== 'https:' && !isLoopback(issuer) && !allowInsecureHttp) {
      const hint = 'use https; for calls inside a cluster set internalUrl; or write allowInsecureHttp: true'
      context.problems.add([...path, 'issuer'], 'is plain http off this machine', hint)
    }
    return [
      {
        header: shape.header,
        issuer: shape.issuer,
        audience: shape.audience,
        jwksUrl: shape.jwksUrl,
        keys: shape.keys === undefined ? undefined : readKeys(shape.keys.file, [...path, 'keys'], context),
        internalUrl: shape.internalUrl,
        caFile: shape.ca === undefined ? undefined : noteFile(shape.ca, context),
        algorithms: shape.algorithms,
        groupsClaim: shape.groupsClaim,
        userinfo: shape.userinfo,
        clients: shape.clients,
        trustUnverifiedEmail: shape.trustUnverifiedEmail,
        groupPaths: shape.groupPaths,
        claimsKept: [],
        timeout: shape.timeout,
      },
    ]
  })
}

/** Public keys of a JWKS file (RFC 7517 5). Secret ones are refused: whoever has them can make tokens. */
function readKeys(file: string, at: KeyPath, context: Resolving): JsonWebKeyLike[] {
  const text = readNamedFile(file, at, largestKeyFile, context)?.toString('utf8')
  if (text === undefined) return []
  const keys = parseKeys(text)
  if (keys === undefined)
    context.problems.add(at, 'is not a JWKS file', 'it should look like { "keys": [ { "kty": "RSA", ... } ] }')
  else if (keys.length === 0) context.problems.add(at, 'holds no key', "put the issuer's public keys there")
  else if (keys.some((key) => key.kty === 'oct' || 'd' in key)) {
    context.problems.add(at, 'holds a secret or private key', 'keep the public members alone')
  }
  return keys ?? []
}

function parseKeys(text: string): JsonWebKeyLike[] | undefined {
  try {
    const keys = valueAt(JSON.parse(text), ['keys'])
    return Array.isArray(keys) && keys.every(isKey) ? keys : undefined
  } catch {
    return undefined
  }
}

const isKey = (value: unknown): value is JsonWebKeyLike => typeof valueAt(value, ['kty']) === 'string'
