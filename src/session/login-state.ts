import { randomBytes } from 'node:crypto'
import { readBase64url } from '../keys/base64url.ts'
import type { SealingKeys } from '../keys/sealing.ts'

/**
 * The `state` parameter of a login (OpenID Connect Core 3.1.2.1): opaque to everybody else, 48 characters. It says
 * how often this sign-in was tried even when no cookie comes back, so that a loop can be told from a first visit.
 * Layout: random (16 bytes) | issued at (4, seconds) | attempt (1) | MAC (15).
 */
export interface LoginState {
  /** 1 for a first try. */
  readonly attempt: number
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
}

const randomLength = 16
const signedLength = randomLength + 5
const stateLength = signedLength + 15

/** @param binding `CookieSpec.binding`: a state of another site is not one of ours */
export function writeState(keys: SealingKeys, binding: string, { attempt, issuedAt }: LoginState): string {
  const bytes = Buffer.alloc(stateLength)
  randomBytes(randomLength).copy(bytes)
  bytes.writeUInt32BE(Math.floor(issuedAt / 1000), randomLength)
  bytes.writeUInt8(Math.min(attempt, 255), randomLength + 4)
  keys.mac('state', macText(binding, bytes)).copy(bytes, signedLength)
  return bytes.toString('base64url')
}

/** Undefined for a state we did not issue. Says nothing about which browser it was issued to. */
export function readState(keys: SealingKeys, binding: string, state: string): LoginState | undefined {
  const bytes = readBase64url(state, 64)
  if (bytes === undefined || bytes.length !== stateLength) return undefined
  if (!keys.isMac('state', macText(binding, bytes), bytes.subarray(signedLength))) return undefined
  return { attempt: bytes.readUInt8(randomLength + 4), issuedAt: bytes.readUInt32BE(randomLength) * 1000 }
}

const macText = (binding: string, bytes: Buffer): string =>
  `${binding}\n${bytes.subarray(0, signedLength).toString('base64url')}`
