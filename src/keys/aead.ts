import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'

/** AES-256-GCM (NIST SP 800-38D): 96-bit random nonce, 128-bit tag. The only cipher here; there is nothing to choose. */
const algorithm = 'aes-256-gcm'
const nonceLength = 12
const tagLength = 16

/** Bytes that encryption adds: nonce and tag. */
export const aeadOverhead = nonceLength + tagLength

/**
 * Encrypts and authenticates; returns nonce | ciphertext | tag. Random nonces are good for 2^32 messages per key
 * (SP 800-38D 8.3): a gateway that seals a thousand cookies per second gets there in fifty days, so rotate before.
 */
export function encrypt(key: KeyObject, associated: Uint8Array, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagLength })
  cipher.setAAD(associated)
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** The plain bytes, or undefined where key, associated data or any bit differs. Never throws for foreign input. */
export function decrypt(key: KeyObject, associated: Uint8Array, sealed: Buffer): Buffer | undefined {
  if (sealed.length < aeadOverhead) return undefined
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceLength), { authTagLength: tagLength })
  decipher.setAAD(associated)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength))
  const plain = decipher.update(sealed.subarray(nonceLength, sealed.length - tagLength))
  try {
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}

/** Associated data of several texts, each with its length in front, so that no two lists read alike. */
export function associate(...parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}
