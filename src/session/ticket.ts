import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { detached } from '../core/encoding.ts'
import { readBase64url } from '../keys/base64url.ts'
import { handleOfReference, referenceOf } from './handle.ts'

/** What the cookie of a stored session says: where the record is, and the key that opens it. */
export interface Ticket {
  /** Finds the record; a hash of what the cookie holds, never the same text. */
  readonly handle: string
  /** Of this session alone, and nowhere but in the browser's cookie: a stolen database opens nothing. */
  readonly key: KeyObject
  /** The cookie value: reference (192 bits), a dot, key (256 bits); base64url. */
  readonly value: string
}

const keyLength = 32
const shape = /^([\w-]{32})\.([\w-]{43})$/

export function createTicket(sessionId: string): Ticket {
  const reference = referenceOf(sessionId)
  const key = randomBytes(keyLength)
  return {
    handle: handleOfReference(reference),
    key: createSecretKey(key),
    value: `${reference}.${key.toString('base64url')}`,
  }
}

/** Undefined for anything that is not a ticket to the letter. */
export function readTicket(value: string): Ticket | undefined {
  const [, reference, keyText] = shape.exec(value) ?? []
  if (reference === undefined || keyText === undefined) return undefined
  const key = readBase64url(keyText, keyText.length)
  if (key === undefined) return undefined
  return { handle: handleOfReference(reference), key: createSecretKey(key), value: detached(value) }
}
