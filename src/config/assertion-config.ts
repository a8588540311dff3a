import type { Secret } from '../core/secret.ts'

/** How signed statements for applications are made. */
export interface AssertionConfig {
  /** Name of the request header. */
  readonly header: string
  /** Milliseconds. */
  readonly lifetime: number
  /** PEM texts, the first signs; undefined: made from `session.secret`. */
  readonly keys: readonly Secret[] | undefined
}
