import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../core/secret.ts'
import { aeadOverhead, associate, decrypt, encrypt } from './aead.ts'
import { readBase64url } from './base64url.ts'

/** What a sealed text is for. Each purpose has a key of its own, so that none can stand in for another. */
export type Purpose = 'session' | 'login' | 'marker' | 'state' | 'record-meta' | 'renewed' | 'form' | 'index'

export interface Opened {
  readonly bytes: Buffer
  /** Sealed with a key that is no longer the first of the list: seal again when there is a chance. */
  readonly stale: boolean
}

/** The keys made from `session.secret`. The first seals, all open; taking one out ends what it sealed. */
export interface SealingKeys {
  /**
   * @param context what the text is bound to beyond its purpose: cookie name and site, record id
   * @returns base64url of version (1 byte) | key id (4) | nonce (12) | ciphertext | tag (16)
   */
  seal(purpose: Purpose, context: string, bytes: Uint8Array): string
  /** Undefined for whatever we did not seal with this purpose and context. Never throws for foreign input. */
  open(purpose: Purpose, context: string, text: string): Opened | undefined
  /** HMAC-SHA256 under the first key. */
  mac(purpose: Purpose, text: string): Buffer
  /** HMAC-SHA256 under every key, in their order: names of entries that must be found again while keys rotate. */
  macs(purpose: Purpose, text: string): readonly Buffer[]
  /** True where `mac`, possibly truncated (12 bytes at least), was made of this text under any of the keys. */
  isMac(purpose: Purpose, text: string, mac: Uint8Array): boolean
  /** One per secret, for /status and doctor: equal for equal secrets, and nothing can be computed back from it. */
  fingerprint(): readonly KeyFingerprint[]
}

export interface KeyFingerprint {
  /** 8 hex digits; also the key id inside everything this key sealed. */
  readonly keyId: string
}

/** The only format there is. A text with another version is not ours: there is nothing to downgrade to. */
const version = 1
const headLength = 5
const shortestMac = 12
/** Bytes of text `open` looks at, far above any cookie or record, so that foreign input costs bounded work. */
const maxSealedLength = 1_048_576

/** Characters that `seal` makes of so many bytes. */
export const sealedLength = (bytes: number): number => Math.ceil(((headLength + aeadOverhead + bytes) * 4) / 3)

interface SealingKey {
  readonly id: Buffer
  purposeKey(purpose: string): KeyObject
}

/**
 * Derives all keys by HKDF-SHA256 (RFC 5869) from the trimmed text of each secret: the text itself, never decoded,
 * so that `openssl rand -hex` and `-base64` mean the same everywhere.
 */
export function createSealingKeys(secrets: readonly Secret[]): SealingKeys {
  const keys = secrets.map(createSealingKey)
  const first = keys[0]
  if (first === undefined) throw new Error('sealing needs at least one secret')

  return {
    seal(purpose, context, bytes) {
      const sealed = encrypt(first.purposeKey(purpose), associatedData(purpose, context, first.id), bytes)
      const text = Buffer.concat([Buffer.of(version), first.id, sealed]).toString('base64url')
      if (text.length > maxSealedLength) throw new RangeError(`${bytes.length} bytes are too much to seal`)
      return text
    },
    open(purpose, context, text) {
      const all = readBase64url(text, maxSealedLength)
      if (all === undefined || all[0] !== version) return undefined
      const id = all.subarray(1, headLength)
      for (const key of keys) {
        if (!key.id.equals(id)) continue
        const associated = associatedData(purpose, context, key.id)
        const bytes = decrypt(key.purposeKey(purpose), associated, all.subarray(headLength))
        if (bytes !== undefined) return { bytes, stale: key !== first }
      }
      return undefined
    },
    mac: (purpose, text) => macUnder(first, purpose, text),
    macs: (purpose, text) => keys.map((key) => macUnder(key, purpose, text)),
    isMac(purpose, text, mac) {
      if (mac.length < shortestMac || mac.length > 32) return false
      return keys.some((key) => timingSafeEqual(macUnder(key, purpose, text).subarray(0, mac.length), mac))
    },
    fingerprint: () => keys.map((key) => ({ keyId: key.id.toString('hex') })),
  }
}

function createSealingKey(secret: Secret): SealingKey {
  const material = secret.reveal().trim()
  const derive = (info: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', material, 'doorward', info, length))
  const derived = new Map<string, KeyObject>()
  return {
    id: derive('key id', 4),
    purposeKey(purpose) {
      const known = derived.get(purpose)
      if (known !== undefined) return known
      const key = createSecretKey(derive(`purpose ${purpose}`, 32))
      derived.set(purpose, key)
      return key
    },
  }
}

const associatedData = (purpose: Purpose, context: string, keyId: Buffer): Buffer =>
  associate(purpose, context, String(version), keyId.toString('hex'))

const macUnder = (key: SealingKey, purpose: Purpose, text: string): Buffer =>
  createHmac('sha256', key.purposeKey(`mac ${purpose}`))
    .update(text)
    .digest()
