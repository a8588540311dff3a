import { createHmac, hkdfSync } from 'node:crypto'
import type { Secret } from '../core/secret.ts'

/** 8 hex digits for a secret at a place of the file: equal for equal secrets, and useless without the key. */
export type Fingerprint = (place: string, secret: Secret) => string

/**
 * Keyed, so that a weak password cannot be guessed from what /status tells; the place is part of it, so that nobody
 * sees which secrets are alike.
 *
 * @param key `session.secret`: whoever compares fingerprints has read the file, as `doorward doctor` does
 */
export function createFingerprint(key: Secret): Fingerprint {
  const derived = Buffer.from(hkdfSync('sha256', key.reveal().trim(), 'doorward', 'secret fingerprint', 32))
  return (place, secret) =>
    createHmac('sha256', derived).update(`${place}\n${secret.reveal()}`).digest('hex').slice(0, 8)
}
