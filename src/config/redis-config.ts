import type { Secret } from '../core/secret.ts'
import type { ListenAddress } from './config.ts'

/** Fits `RedisOptions` of src/storage. */
export interface RedisConfig {
  readonly topology:
    | { readonly kind: 'standalone'; readonly node: ListenAddress; readonly database: number }
    | {
        readonly kind: 'sentinel'
        readonly name: string
        readonly sentinels: readonly ListenAddress[]
        readonly username: string | undefined
        readonly password: Secret | undefined
        readonly database: number
      }
    | { readonly kind: 'cluster'; readonly nodes: readonly ListenAddress[] }
  readonly tls: { readonly caFile: string | undefined; readonly serverName: string | undefined } | undefined
  readonly username: string | undefined
  readonly password: Secret | undefined
  /** Before every key and channel. */
  readonly prefix: string
  /** Milliseconds one command may take. */
  readonly timeout: number
}
