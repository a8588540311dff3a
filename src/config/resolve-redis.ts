import type { RedisConfig } from './redis-config.ts'
import { noteFile, type Resolving } from './resolving.ts'
import { redisSchema } from './schema-redis.ts'
import type { SecretRef } from './schema-values.ts'
import { readSecret } from './secrets.ts'
import { readShape } from './shape.ts'
import { valueAt } from './tree.ts'

type Shape = ReturnType<typeof redisSchema.parse>

/** Undefined where the file has no `redis:`, or one that is broken and was reported. */
export function resolveRedis(context: Resolving): RedisConfig | undefined {
  if (valueAt(context.content, ['redis']) === undefined) return undefined
  const shape = readShape(redisSchema, context.content, ['redis'], context.problems)
  if (shape === undefined) return undefined
  const topology = topologyOf(shape, context)
  if (topology === undefined) return undefined
  return {
    topology,
    tls: tlsOf(shape, context),
    username: shape.username,
    password: secretAt(shape.password, ['redis', 'password'], context),
    prefix: shape.prefix,
    timeout: shape.timeout,
  }
}

function topologyOf({ url, sentinels, cluster }: Shape, context: Resolving): RedisConfig['topology'] | undefined {
  if (cluster !== undefined) return { kind: 'cluster', nodes: cluster }
  if (url !== undefined) return { kind: 'standalone', node: url.node, database: url.database }
  if (sentinels === undefined) return undefined
  return {
    kind: 'sentinel',
    name: sentinels.name,
    sentinels: sentinels.nodes,
    username: sentinels.username,
    password: secretAt(sentinels.password, ['redis', 'sentinels', 'password'], context),
    database: 0,
  }
}

function tlsOf({ url, tls }: Shape, context: Resolving): RedisConfig['tls'] {
  const plain = { caFile: undefined, serverName: undefined }
  if (tls === undefined) return url?.tls ? plain : undefined
  if (url?.tls && tls === false) {
    context.problems.add(
      ['redis', 'tls'],
      'says no to the TLS that url asks for',
      'write redis:// in url, or remove tls',
    )
  }
  if (typeof tls === 'boolean') return tls ? plain : undefined
  return { caFile: tls.ca === undefined ? undefined : noteFile(tls.ca, context), serverName: tls.serverName }
}

const secretAt = (reference: SecretRef | undefined, at: readonly string[], context: Resolving) =>
  reference === undefined ? undefined : readSecret(reference, at, context)
