/**
 * Owns what other replicas must know of sessions that live in cookies: a renewal spends the refresh token, and every
 * older copy of the cookie still holds the spent one.
 */
import type { SealingKeys } from '../keys/sealing.ts'
import type { KeyValue } from '../storage/key-value.ts'
import { handleOf } from './handle.ts'
import type { Lifetimes } from './lifetimes.ts'
import type { LiveSession, Session } from './session.ts'
import { readSession, type WrittenSession, writeSession } from './session-format.ts'

export interface SealedRenewals {
  /** The last renewal anybody saved of this session. @throws GatewayError `store_unreachable` */
  load(live: LiveSession): Promise<WrittenSession | undefined>
  /** Compare-and-set: false where somebody saved one since `load` was asked about this value. */
  save(live: LiveSession, next: WrittenSession): Promise<boolean>
}

/** Characters of a sealed text that hold format, key id and the random nonce (sealing.ts): no two begin alike. */
const versionLength = 24

export function createSealedRenewals(deps: {
  readonly kv: KeyValue
  readonly keys: SealingKeys
  readonly lifetimes: Lifetimes
  /** `CookieSpec.binding` */
  readonly binding: string
}): SealedRenewals {
  const { kv, keys, lifetimes, binding } = deps
  /** What `load` found for a value; an empty text for nothing. */
  const versions = new WeakMap<LiveSession, string>()
  const contextOf = ({ id }: Session): string => `${binding} ${handleOf(id)}`
  const keyOf = ({ id }: Session): string => `renewed ${handleOf(id)}`

  return {
    async load(live) {
      const text = await kv.get(keyOf(live.session))
      versions.set(live, text?.slice(0, versionLength) ?? '')
      const opened = text === undefined ? undefined : keys.open('renewed', contextOf(live.session), text)
      return opened === undefined ? undefined : readSession(opened.bytes)
    },
    async save(live, next) {
      const text = keys.seal('renewed', contextOf(next.session), writeSession(next))
      const version = versions.get(live) ?? ''
      return version === ''
        ? kv.add(keyOf(next.session), text, lifetimes.idle)
        : kv.swap(keyOf(next.session), version, text, lifetimes.idle)
    },
  }
}
