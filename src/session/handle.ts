import { createHash } from 'node:crypto'

/**
 * Names of a session that may leave the session itself. Each step is one-way, so a handle in a log, a database or
 * a message opens nothing and cannot be turned back into a cookie.
 *
 *     session id  ->  reference (in the browser's cookie)  ->  handle (store keys, marks, messages, logs)
 */

/** The part of a stored session's cookie that finds the record: 192 bits. */
export const referenceOf = (sessionId: string): string =>
  digest('reference', sessionId).subarray(0, 24).toString('base64url')

/** The name under which the outside may know a session. */
export const handleOf = (sessionId: string): string => handleOfReference(referenceOf(sessionId))

export const handleOfReference = (reference: string): string => digest('handle', reference).toString('base64url')

const digest = (step: string, text: string): Buffer => createHash('sha256').update(`doorward ${step}\n${text}`).digest()
