import type { Secret } from '../core/secret.ts'

/** Where Redis or Valkey is and how to talk to it. Floors keep this apart from the config; `RedisConfig` fits. */
export interface RedisOptions {
  readonly topology: RedisTopology
  readonly tls: RedisTls | undefined
  readonly username: string | undefined
  readonly password: Secret | undefined
  /** Stands before every key and channel. In a cluster it must hold no `{`, or all keys land on one shard. */
  readonly prefix: string
  /** Milliseconds one command may take; above, the answer is `store_unreachable`. */
  readonly timeout: number
}

export type RedisTopology =
  | { readonly kind: 'standalone'; readonly node: RedisNode; readonly database: number }
  | {
      readonly kind: 'sentinel'
      /** What the sentinels call the primary. */
      readonly name: string
      readonly sentinels: readonly RedisNode[]
      /** Credentials at the sentinels, which have users of their own. */
      readonly username: string | undefined
      readonly password: Secret | undefined
      readonly database: number
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisNode[] }

export interface RedisNode {
  readonly host: string
  readonly port: number
}

export interface RedisTls {
  /** PEM file with further certificate authorities; read at every connection, so it may appear or change later. */
  readonly caFile: string | undefined
  /** Name in the server's certificate where it differs from the host. */
  readonly serverName: string | undefined
}

/**
 * The same options, of which address and credentials are looked up at each connection, so that a password or a
 * certificate can change under a running process. Prefix and timeout stay what they were.
 */
export function followRedisOptions(first: RedisOptions, latest: () => RedisOptions): RedisOptions {
  return {
    prefix: first.prefix,
    timeout: first.timeout,
    get topology() {
      return latest().topology
    },
    get tls() {
      return latest().tls
    },
    get username() {
      return latest().username
    },
    get password() {
      return latest().password
    },
  }
}
