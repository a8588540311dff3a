import type { HeadersConfig } from '../config/headers-config.ts'
import type { Tokens } from '../core/tokens.ts'

/** When the first of the tokens that a route passes on expires, milliseconds since the epoch; `Infinity`: never, or none is there. */
export type TokenEnd = (tokens: Tokens) => number

/** Undefined for the many routes that pass no token on: nothing about them can be out of date. */
export function compileTokenEnd({ set }: HeadersConfig): TokenEnd | undefined {
  const kinds = new Set(set.flatMap(({ parts }) => parts.map(({ kind }) => kind)))
  const passesAccess = kinds.has('accessToken')
  const passesId = kinds.has('idToken')
  if (!passesAccess && !passesId) return undefined
  return (tokens) => Math.min(passesAccess ? accessEnd(tokens) : never, passesId ? idEnd(tokens) : never)
}

const never = Number.POSITIVE_INFINITY

const accessEnd = ({ accessToken, accessExpiresAt = never }: Tokens): number =>
  accessToken === undefined ? never : accessExpiresAt

/** An ID token whose end nobody wrote down came with the access token. */
const idEnd = ({ idToken, idExpiresAt, accessExpiresAt = never }: Tokens): number =>
  idToken === undefined ? never : (idExpiresAt ?? accessExpiresAt)
