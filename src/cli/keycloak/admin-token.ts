/** The access token of the Admin API: got once, renewed before it ends. */
import type { Clock } from '../../core/clock.ts'
import { readMembers } from '../../core/foreign-json.ts'
import { Secret } from '../../core/secret.ts'
import type { Transport } from '../../issuer/transport.ts'
import type { KeycloakAdminAccess } from './admin-access.ts'
import { adminErrorText, KeycloakAdminError } from './admin-error.ts'

export interface AdminToken {
  /** @throws KeycloakAdminError `admin_login` */
  current(): Promise<Secret>
  /** Forgets the token, because Keycloak did. @returns false where there is no way to another one */
  drop(): boolean
}

type Account = Exclude<KeycloakAdminAccess, { readonly kind: 'token' }>

/** Milliseconds before its end that a token is not used any more. Tokens of `admin-cli` live for a minute. */
const margin = 10_000

/** @param base address of the Keycloak, without `/realms` */
export function createAdminToken(
  access: KeycloakAdminAccess,
  { base, transport, clock, signal }: { base: string; transport: Transport; clock: Clock; signal: AbortSignal },
): AdminToken {
  if (access.kind === 'token') return { current: async () => access.token, drop: () => false }
  const account: Account = access
  let kept: { readonly token: Secret; readonly until: number } | undefined
  return {
    async current() {
      if (kept === undefined || clock.now() > kept.until) kept = await request()
      return kept.token
    },
    drop() {
      kept = undefined
      return true
    },
  }

  async function request() {
    const url = `${base}/realms/${encodeURIComponent(account.realm)}`
    const answer = await transport.fetch(`${url}/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: grantOf(account).toString(),
      signal,
    })
    const body = await answer.text()
    const token = answer.ok ? readToken(body) : undefined
    if (token === undefined) throw loginRefused(account, answer.status, body)
    return { token: new Secret(token.access_token), until: clock.now() + token.expires_in * 1000 - margin }
  }
}

const grantOf = (account: Account): URLSearchParams =>
  account.kind === 'password'
    ? new URLSearchParams({
        grant_type: 'password',
        client_id: 'admin-cli',
        username: account.username,
        password: account.password.reveal(),
      })
    : new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: account.clientId,
        client_secret: account.clientSecret.reveal(),
      })

function readToken(body: string): { access_token: string; expires_in: number } | undefined {
  const { access_token, expires_in } = readMembers(body)
  return typeof access_token === 'string' ? { access_token, expires_in: Number(expires_in) || 0 } : undefined
}

function loginRefused(account: Account, status: number, body: string): KeycloakAdminError {
  const said = adminErrorText(body) || `status ${status}`
  const message = `Keycloak does not let ${nameOf(account)} in at the realm ${account.realm}: ${said}`
  return new KeycloakAdminError('admin_login', message, status === 404 ? realmHint : hints[account.kind])
}

const nameOf = (account: Account): string =>
  account.kind === 'password' ? `"${account.username}"` : `the client "${account.clientId}"`

const realmHint = 'name the realm of the account with --admin-realm'
const hints: Readonly<Record<Account['kind'], string>> = {
  password:
    'check DOORWARD_ADMIN_PASSWORD and --admin-realm; an account with a second factor needs --admin-client instead',
  client: 'check DOORWARD_ADMIN_CLIENT_SECRET and --admin-realm, and that the client has "Service accounts roles" on',
}
