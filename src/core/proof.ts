import type { Identity } from './identity.ts'
import type { Tokens } from './tokens.ts'

/** What a finished login or a refresh proves. */
export interface Proof {
  readonly identity: Identity
  readonly tokens: Tokens
  /** The provider's own session id (`sid`), for logout that starts there. */
  readonly sid?: string
}
