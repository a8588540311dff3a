import { GatewayError } from '../core/errors.ts'
import type { Session } from './session.ts'

/** The failure of a session that no cookie can hold: which parts are largest, and what to do about it. */
export function sessionTooLarge(session: Session, bytes: number, allowed: number): GatewayError {
  const largest = sizes(session)
    .slice(0, 3)
    .map(([name, size]) => `${name} (${size} bytes)`)
  return new GatewayError(
    'session_too_large',
    `the session takes ${bytes} bytes of cookies, and ${allowed} reach the browser through every ingress; ` +
      `largest: ${largest.join(', ')}; keep fewer groups with groupsKept, or set session.store to memory`,
  )
}

/** Parts of a session by their size, the largest first. Names alone are said, never values. */
function sizes({ identity, tokens }: Session): readonly (readonly [string, number])[] {
  const { claims, groups, realmRoles, clientRoles, scopes, name, email } = identity
  const parts = {
    groups,
    realmRoles,
    clientRoles,
    scopes,
    name,
    email,
    'refresh token': tokens.refreshToken,
    ...claims,
  }
  return Object.entries(parts)
    .map(([part, value]) => [part, value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value) ?? '')] as const)
    .sort(([, a], [, b]) => b - a)
}
