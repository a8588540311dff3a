import type { Clock } from '../core/clock.ts'
import { detached } from '../core/encoding.ts'
import { associate, decrypt, encrypt } from '../keys/aead.ts'
import { readBase64url } from '../keys/base64url.ts'
import type { SealingKeys } from '../keys/sealing.ts'
import type { KeyValue } from '../storage/key-value.ts'
import { endOf, type Lifetimes } from './lifetimes.ts'
import type { LiveSession, Session } from './session.ts'
import { readSession, type WrittenSession, writeSession } from './session-format.ts'
import type { Ticket } from './ticket.ts'

/**
 * Sessions in a KeyValue, in two parts. The record (identity and tokens) opens with the key in the browser's cookie
 * alone and is bound to its handle and site; the metadata opens with the gateway's key, for listing, logout and
 * the idle life. Two entries, so that moving the idle life never rewrites tokens that another process renewed.
 */
export interface SessionRecords {
  load(ticket: Ticket): Promise<StoredSession | 'missing' | 'invalid'>
  /** Writes a new record. */
  create(ticket: Ticket, written: WrittenSession): Promise<StoredSession>
  /** Writes a renewed session in the place of the version it came from; undefined where that is no longer there. */
  replace(ticket: Ticket, version: string, next: WrittenSession): Promise<StoredSession | undefined>
  /** Moves the idle life; false where the record is gone: the session was ended. */
  touch(handle: string, live: LiveSession): Promise<boolean>
  remove(handle: string): Promise<void>
}

export interface StoredSession extends WrittenSession {
  /** How the record begins: its random nonce, which no other writing of any record has. */
  readonly version: string
  /** Its metadata was sealed with a key that is on its way out: write it again at the next chance. */
  readonly stale: boolean
}

/** Touches are written at most this often, as a part of the idle life; so much longer the entries live. */
export const touchesPerIdle = 10

/** Characters of a record that are looked at; sessions are a few thousand. */
const maxRecordLength = 1_048_576

export function createSessionRecords(deps: {
  readonly kv: KeyValue
  readonly keys: SealingKeys
  readonly clock: Clock
  readonly lifetimes: Lifetimes
  /** `CookieSpec.binding` */
  readonly binding: string
}): SessionRecords {
  const { kv, keys, clock, lifetimes, binding } = deps
  const associated = (handle: string): Buffer => associate('session record', binding, handle)
  const ttlOf = (session: Session): number => {
    const idle = lifetimes.idle + lifetimes.idle / touchesPerIdle
    return Math.max(1, Math.ceil(Math.min(idle, endOf(session, lifetimes) - clock.now())))
  }
  const sealRecord = (ticket: Ticket, written: WrittenSession): string =>
    encrypt(ticket.key, associated(ticket.handle), writeSession(written)).toString('base64url')
  const saveMetadata = (handle: string, { session, seenAt }: WrittenSession): Promise<void> =>
    kv.set(metadataKey(handle), keys.seal('record-meta', handle, writeMetadata(session, seenAt)), ttlOf(session))

  return {
    async load(ticket) {
      const [record, metadata] = await Promise.all([
        kv.get(recordKey(ticket.handle)),
        kv.get(metadataKey(ticket.handle)),
      ])
      if (record === undefined || metadata === undefined) return 'missing'
      const sealed = readBase64url(record, maxRecordLength)
      const bytes = sealed === undefined ? undefined : decrypt(ticket.key, associated(ticket.handle), sealed)
      const written = bytes === undefined ? undefined : readSession(bytes)
      const opened = keys.open('record-meta', ticket.handle, metadata)
      const seenAt = opened === undefined ? undefined : readSeenAt(opened.bytes)
      if (written === undefined || seenAt === undefined) return 'invalid'
      return { session: written.session, seenAt, version: versionOf(record), stale: opened?.stale === true }
    },
    async create(ticket, written) {
      const record = sealRecord(ticket, written)
      await saveMetadata(ticket.handle, written)
      await kv.set(recordKey(ticket.handle), record, ttlOf(written.session))
      return { ...written, version: versionOf(record), stale: false }
    },
    async replace(ticket, version, next) {
      const record = sealRecord(ticket, next)
      if (!(await kv.swap(recordKey(ticket.handle), version, record, ttlOf(next.session)))) return undefined
      await saveMetadata(ticket.handle, next)
      return { ...next, version: versionOf(record), stale: false }
    },
    async touch(handle, live) {
      if (!(await kv.extend(recordKey(handle), ttlOf(live.session)))) return false
      await saveMetadata(handle, live)
      return true
    },
    async remove(handle) {
      await Promise.all([kv.delete(recordKey(handle)), kv.delete(metadataKey(handle))])
    },
  }
}

/** Characters of a record that hold the nonce (aead.ts), 96 bits. */
const versionLength = 16
const versionOf = (record: string): string => detached(record.slice(0, versionLength))

const recordKey = (handle: string): string => `session ${handle}`
const metadataKey = (handle: string): string => `session-metadata ${handle}`

function writeMetadata(session: Session, seenAt: number): Buffer {
  const { identity, createdAt, expiresAt, renewedAt, sid } = session
  const { issuer, subject } = identity
  return Buffer.from(JSON.stringify({ issuer, subject, sid, createdAt, expiresAt, renewedAt, seenAt }))
}

/** Our own text, opened with our own key; a newer format without the field is no session. */
function readSeenAt(bytes: Buffer): number | undefined {
  const value: unknown = JSON.parse(bytes.toString())
  if (typeof value !== 'object' || value === null || !('seenAt' in value)) return undefined
  return typeof value.seenAt === 'number' ? value.seenAt : undefined
}
