import type { Secret } from '../core/secret.ts'
import type { SessionConfig } from './config.ts'
import type { Resolving } from './resolving.ts'
import { sessionSchema } from './schema-session.ts'
import { secretRef } from './schema-values.ts'
import { readKeySecret } from './secrets.ts'
import { readShape } from './shape.ts'
import { valueAt } from './tree.ts'

/** `makeKey` makes the key of a memory store that has none in the file. */
export function resolveSession(context: Resolving, publicUrls: readonly URL[], makeKey: () => Secret): SessionConfig {
  const { content, problems } = context
  const written = content !== undefined && valueAt(content, ['session']) === undefined ? { session: {} } : content
  const shape = readShape(sessionSchema, written, ['session'], problems) ?? sessionSchema.parse({})
  const secrets = readSecrets(context)
  checkStore(shape.store, context)
  checkCookie(shape, publicUrls, context)
  if (shape.idle > shape.lifetime && problems.clean(['session', 'idle'], ['session', 'lifetime'])) {
    problems.add(['session', 'idle'], 'is longer than session.lifetime', 'make idle the shorter one')
  }
  const ephemeral = secrets.length === 0
  return {
    store: shape.store,
    secrets: ephemeral ? [makeKey()] : secrets,
    ephemeral,
    idle: shape.idle,
    lifetime: shape.lifetime,
    refreshEvery: shape.refreshEvery,
    cookieName: shape.cookieName,
    cookieDomain: shape.cookieDomain,
    sameSite: shape.sameSite,
    cacheBytes: shape.cacheSize,
  }
}

type Shape = ReturnType<typeof sessionSchema.parse>

/** One by one, so that a broken entry of the list does not hide a weak one. */
function readSecrets(context: Resolving): Secret[] {
  const at = ['session', 'secret']
  const written = valueAt(context.content, at)
  const places = Array.isArray(written) ? written.map((_, index) => [...at, index]) : written === undefined ? [] : [at]
  const secrets = places.flatMap((place) => {
    const reference = readShape(secretRef(), context.content, place, context.problems)
    const secret = reference === undefined ? undefined : readKeySecret(reference, place, context)
    return secret === undefined ? [] : [secret]
  })
  const texts = secrets.map((secret) => secret.reveal())
  texts.forEach((text, index) => {
    if (texts.indexOf(text) < index)
      context.problems.add([...at, index], 'is the same secret as an earlier one', 'keep one of the two')
  })
  return secrets
}

function checkStore(store: Shape['store'], { content, problems }: Resolving): void {
  if (store === 'redis' && valueAt(content, ['redis']) === undefined && problems.clean(['redis'])) {
    problems.add(
      ['session', 'store'],
      'the redis store needs to know where Redis is',
      'add redis: { url: redis://redis:6379 }',
    )
  }
  const missing = valueAt(content, ['session', 'secret']) === undefined
  if (store !== 'memory' && missing && problems.clean(['session', 'store'], ['session', 'secret'])) {
    const hint = 'add session.secret: { file: /run/secrets/session }; make one with: openssl rand -hex 32'
    problems.add(['session', 'store'], `the ${store} store needs session.secret`, hint)
  }
}

function checkCookie(
  { cookieName, cookieDomain, sameSite }: Shape,
  publicUrls: readonly URL[],
  { problems }: Resolving,
): void {
  const plain = publicUrls.some((url) => url.protocol === 'http:')
  if (cookieDomain !== undefined) {
    for (const { hostname } of publicUrls) {
      if (hostname === cookieDomain || hostname.endsWith(`.${cookieDomain}`)) continue
      problems.add(
        ['session', 'cookieDomain'],
        `is not a parent of ${hostname}`,
        'name the domain that all hosts of publicUrl end in',
      )
    }
  }
  if (cookieName?.startsWith('__Host-') && cookieDomain !== undefined) {
    problems.add(
      ['session', 'cookieName'],
      'browsers refuse a __Host- cookie that has a domain',
      'write __Secure-..., or remove cookieDomain',
    )
  }
  if (plain && cookieName !== undefined && /^__(?:host|secure|http)-/i.test(cookieName)) {
    problems.add(
      ['session', 'cookieName'],
      'browsers refuse this prefix over http',
      'remove cookieName, or serve publicUrl by https',
    )
  }
  if (plain && sameSite === 'none') {
    problems.add(
      ['session', 'sameSite'],
      'browsers refuse SameSite=None over http',
      'write lax, or serve publicUrl by https',
    )
  }
}
