import { createPrivateKey } from 'node:crypto'
import { foldHeaderName } from '../core/header-name.ts'
import type { AssertionConfig } from './assertion-config.ts'
import type { ResolvedRoute } from './resolve-route.ts'
import type { Resolving } from './resolving.ts'
import { assertionSchema } from './schema-assertion.ts'
import { readSecret } from './secrets.ts'
import { readShape } from './shape.ts'
import { valueAt } from './tree.ts'

const makeOne = 'make one with: openssl ecparam -genkey -name prime256v1 -noout'

/** Undefined where the file does not ask for signed statements. */
export function resolveAssertion(context: Resolving, routes: readonly ResolvedRoute[]): AssertionConfig | undefined {
  const { content, problems } = context
  if (valueAt(content, ['assertion']) === undefined) return undefined
  const shape = readShape(assertionSchema, content, ['assertion'], problems)
  if (shape === undefined) return undefined
  const { header, lifetime, keys } = shape
  const taken = routes.some(({ config }) =>
    config.headers.set.some(({ name }) => foldHeaderName(name) === foldHeaderName(header)),
  )
  if (taken) problems.add(['assertion', 'header'], `${header} is set by a route as well`, 'write X-Auth-Assertion')
  const several = Array.isArray(valueAt(content, ['assertion', 'keys']))
  const secrets = keys?.flatMap((reference, index) => {
    const at = several ? ['assertion', 'keys', index] : ['assertion', 'keys']
    const secret = readSecret(reference, at, context, makeOne)
    if (secret === undefined) return []
    if (isSigningKey(secret.reveal())) return [secret]
    problems.add(at, 'is not a P-256 private key in PEM', makeOne)
    return []
  })
  return { header, lifetime, keys: secrets }
}

function isSigningKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}
