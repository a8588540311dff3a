import { createHash } from 'node:crypto'
import type { Proof } from '../../src/core/proof.ts'

export interface Wish {
  readonly groups?: readonly string[]
  readonly claims?: Readonly<Record<string, unknown>>
  readonly refreshToken?: string
  readonly accessToken?: string
  readonly idToken?: string
}

/** A finished login of somebody, the size of Keycloak's. */
export function proofOf(name: string, wish: Wish = {}): Proof {
  return {
    identity: {
      provider: 'default',
      issuer: 'https://idp.example.com/realms/main',
      subject: createHash('sha256').update(name).digest('hex').slice(0, 32),
      username: name,
      email: `${name}@example.com`,
      name: `${name} Ünïcode`,
      groups: wish.groups ?? ['/staff', '/staff/engineering'],
      realmRoles: ['user', 'admin'],
      clientRoles: { grafana: ['editor'] },
      scopes: ['openid', 'profile', 'email'],
      acr: '1',
      authTime: 1_799_999_990,
      claims: wish.claims ?? { department: 'research' },
    },
    tokens: {
      refreshToken: wish.refreshToken ?? `refresh-${name}-${'r'.repeat(600)}`,
      accessToken: wish.accessToken ?? `access-${name}-${'a'.repeat(1_100)}`,
      accessExpiresAt: 1_800_000_300_000,
      idExpiresAt: 1_800_000_300_000,
      idToken: wish.idToken ?? `id-${name}-${'i'.repeat(500)}`,
    },
    sid: `sid of ${name}`,
  }
}
