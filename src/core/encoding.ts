import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A random token of `bytes` bytes of entropy, base64url. 32 bytes (256 bits) unless said. */
export const randomToken = (bytes = 32): string => randomBytes(bytes).toString('base64url')

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The same text in memory of its own. V8 keeps the whole text alive that a slice was cut from: a header, a record. */
export const detached = (text: string): string => Buffer.from(text).toString()

/** Compares without telling by its duration where two texts differ. Lengths may leak; contents do not. */
export function constantTimeEqual(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
