/** From what Redis, or the way to it, said to a finding. */
import type { RedisConfig } from '../../config/redis-config.ts'
import { type WireFault, wireFaultOf } from '../../core/wire-fault.ts'
import type { RedisNode } from '../../storage/redis-options.ts'
import type { Finding } from './finding.ts'
import { wireSentenceOf } from './wire-sentence.ts'

type Fault = Pick<Finding, 'name' | 'cause' | 'fix'> & { readonly at?: string }

/** @param other what the server speaks where it is not what the file says */
export function redisFault(config: RedisConfig, error: unknown, other: 'tls' | 'plain' | undefined): Finding {
  const fault = other === undefined ? faultOf(config, error) : schemeFault(other)
  const { name, cause, fix, at = 'redis' } = fault
  return {
    name,
    severity: name === 'redis-full' ? 'warning' : 'error',
    place: `${at} (${addressOf(config)})`,
    cause,
    fix,
  }
}

function schemeFault(other: 'tls' | 'plain'): Fault {
  return other === 'tls'
    ? {
        name: 'redis-expects-tls',
        cause: 'the server speaks TLS, and the file says plain',
        fix: 'write rediss:// in redis.url, or add redis.tls',
      }
    : {
        name: 'redis-without-tls',
        cause: 'the file says TLS, and the server speaks without',
        fix: 'write redis:// in redis.url, or remove redis.tls',
      }
}

/** https://redis.io/docs/latest/develop/reference/protocol-spec/ : the first word of an error is its kind. */
const replies: readonly (readonly [RegExp, (config: RedisConfig, text: string) => Fault])[] = [
  [/knows no primary called/, sentinelName],
  [
    /^NOAUTH/,
    () => ({
      name: 'redis-password-missing',
      at: 'redis.password',
      cause: 'the server wants a password, and the file has none',
      fix: 'add redis.password: { file: /run/secrets/redis }',
    }),
  ],
  [/^WRONGPASS/, wrongPassword],
  [
    /^READONLY/,
    () => ({
      name: 'redis-read-only',
      cause: 'it is a replica that takes no writes',
      fix: 'name the primary, or let redis.sentinels find it',
    }),
  ],
  [
    /^NOPERM|^ERR unknown command/,
    (_, text) => ({
      name: 'redis-not-permitted',
      at: 'redis.username',
      cause: `the user of the file may not do all that is needed: ${text}`,
      fix: 'let it read and write keys and channels under redis.prefix: +@all -@dangerous ~prefix* &prefix*',
    }),
  ],
  [
    /^DENIED/,
    () => ({
      name: 'redis-not-permitted',
      cause: 'it is in protected mode: without a password it serves its own machine alone',
      fix: 'set requirepass at the server, and redis.password in the file',
    }),
  ],
  [
    /^ERR max number of clients/,
    () => ({
      name: 'redis-full',
      cause: 'it takes no more connections: its maxclients are reached',
      fix: 'raise maxclients, or look who holds so many (CLIENT LIST); nobody can sign in meanwhile',
    }),
  ],
  [
    /^NOREPLICAS/,
    () => ({
      name: 'redis-full',
      cause: 'it takes no writes while fewer replicas follow than min-replicas-to-write asks for',
      fix: 'look at its replicas (INFO replication); nobody can sign in meanwhile',
    }),
  ],
  [
    /^(?:OOM|MISCONF)/,
    (_, text) => ({
      name: 'redis-full',
      cause: `it takes no writes at present: ${text}`,
      fix: 'give it memory or disk; nobody can sign in meanwhile',
    }),
  ],
  [
    /^(?:LOADING|MASTERDOWN|CLUSTERDOWN)/,
    (_, text) => ({
      name: 'redis-not-ready',
      cause: `it is there and cannot serve now: ${text}`,
      fix: 'wait until it has loaded, or look at its log',
    }),
  ],
  [
    /^MOVED|^CROSSSLOT/,
    () => ({
      name: 'redis-is-cluster',
      at: 'redis.url',
      cause: 'the server is part of a cluster, and the file names it alone',
      fix: 'write redis.cluster with its nodes in place of redis.url',
    }),
  ],
  [
    /cluster support disabled/i,
    () => ({
      name: 'redis-is-no-cluster',
      at: 'redis.cluster',
      cause: 'the server is no part of a cluster',
      fix: 'write redis.url in place of redis.cluster',
    }),
  ],
  [
    /^ERR DB index is out of range/,
    () => ({
      name: 'redis-database',
      at: 'redis.url',
      cause: 'the server has no database of this number',
      fix: 'write another number at the end of redis.url, or none',
    }),
  ],
]

function faultOf(config: RedisConfig, error: unknown): Fault {
  const text = error instanceof Error ? error.message.split('\n', 1)[0]!.replace(/\.$/, '') : String(error)
  const reply = replies.find(([pattern]) => pattern.test(text))
  if (reply !== undefined) return reply[1](config, text)
  const kind = wireFaultOf(error)
  if (/^no answer within/.test(text) || kind === 'timeout') {
    return {
      name: 'redis-silent',
      cause: 'it accepts connections and does not answer in time',
      fix: 'look whether the server hangs or is overloaded, and what stands between',
    }
  }
  if (ofCertificate.has(kind)) {
    return {
      name: 'redis-certificate',
      at: 'redis.tls',
      cause: wireSentenceOf(error),
      fix: 'name its authority in redis.tls.ca, its name in redis.tls.serverName, or renew it',
    }
  }
  return {
    name: 'redis-unreachable',
    cause: wireSentenceOf(error),
    fix: 'check host and port of the file, and that this container may connect there',
  }
}

const ofCertificate: ReadonlySet<WireFault> = new Set<WireFault>([
  'self-signed',
  'unknown-authority',
  'wrong-name',
  'expired',
  'not-yet-valid',
  'tls',
])

function sentinelName({ topology }: RedisConfig): Fault {
  const name = topology.kind === 'sentinel' ? topology.name : ''
  return {
    name: 'redis-sentinel-name',
    at: 'redis.sentinels.name',
    cause: `the sentinels know no primary called "${name}"`,
    fix: '`redis-cli -p 26379 SENTINEL MASTERS` lists the names they know',
  }
}

function wrongPassword({ username }: RedisConfig): Fault {
  const who = username === undefined ? 'this password' : `user "${username}" with this password`
  return {
    name: 'redis-wrong-password',
    at: 'redis.password',
    cause: `the server does not take ${who}`,
    fix: 'compare redis.password with requirepass or the ACL of the server',
  }
}

function addressOf({ topology }: RedisConfig): string {
  return nodesOf(topology)
    .map(({ host, port }) => `${host}:${port}`)
    .join(', ')
}

export function nodesOf(topology: RedisConfig['topology']): readonly RedisNode[] {
  if (topology.kind === 'standalone') return [topology.node]
  return topology.kind === 'sentinel' ? topology.sentinels : topology.nodes
}
