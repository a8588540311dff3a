/** One authorized call of the Admin API, and what its refusals mean. */
import { ProviderUnreachable, type Transport } from '../../issuer/transport.ts'
import { adminErrorText, KeycloakAdminError } from './admin-error.ts'
import type { AdminToken } from './admin-token.ts'

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/admin`. */
  readonly path: string
  readonly body?: unknown
  /** The role of `realm-management` that allows it; `create-realm` is a role of the realm master. */
  readonly role: string
}

export interface AdminAnswer {
  /** The JSON; undefined where there was no body. */
  readonly body: unknown
  /** Of what was created: its address. */
  readonly location: string | undefined
}

export interface AdminWire {
  readonly base: string
  readonly transport: Transport
  readonly token: AdminToken
  readonly signal: AbortSignal
}

/**
 * A token that ended early is renewed once; the call was not carried out then.
 * @returns undefined for 404
 * @throws KeycloakAdminError
 */
export async function callAdmin(wire: AdminWire, request: AdminRequest): Promise<AdminAnswer | undefined> {
  try {
    let answer = await send(wire, request)
    if (answer.status === 401 && wire.token.drop()) answer = await send(wire, request)
    const text = await answer.text()
    if (answer.status === 404) return undefined
    if (!answer.ok) throw refused(request, answer.status, text)
    return { body: readJson(text, request), location: answer.headers.get('location') ?? undefined }
  } catch (error) {
    throw error instanceof ProviderUnreachable ? unreachable(error) : error
  }
}

/** Gets the first token. @throws KeycloakAdminError */
export async function signIn({ token }: AdminWire): Promise<void> {
  try {
    await token.current()
  } catch (error) {
    throw error instanceof ProviderUnreachable ? unreachable(error) : error
  }
}

async function send({ base, transport, token, signal }: AdminWire, { method, path, body }: AdminRequest) {
  const authorization = `Bearer ${(await token.current()).reveal()}`
  return transport.fetch(`${base}/admin${path}`, {
    method,
    headers: { authorization, accept: 'application/json', 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal,
  })
}

function readJson(text: string, { method, path }: AdminRequest): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `${method} /admin${path} was answered, but not by Keycloak's Admin API: no JSON came`
    throw new KeycloakAdminError('admin_refused', message, wrongAddressHint, { cause })
  }
}

export const wrongAddressHint =
  'name the address administrators use with --admin-url; many set-ups keep /admin off the public one'

function refused({ method, path, role }: AdminRequest, status: number, body: string): KeycloakAdminError {
  const said = adminErrorText(body) || `status ${status}`
  if (status === 401) {
    const hint = 'it may have ended, or be one of another Keycloak: get a new one'
    return new KeycloakAdminError('admin_login', 'Keycloak does not accept the token of the administrator', hint)
  }
  if (status === 403) return denied(role, `${method} /admin${path.replace(/\?.*/, '')}`)
  const message = `${method} /admin${path}: ${said}`
  if (status === 409) return new KeycloakAdminError('conflict', message, 'somebody else may be changing it: try again')
  const hint = status >= 500 ? "Keycloak's log knows more" : 'this should not happen; change it by hand and report it'
  return new KeycloakAdminError('admin_refused', message, hint)
}

/** Roles of an account of another realm belong to the client `<realm>-realm` of master; the names are the same. */
function denied(role: string, call: string): KeycloakAdminError {
  const message = `the account lacks the role ${role}, which ${call} needs`
  const hint =
    role === 'create-realm'
      ? 'give it the role create-realm of the realm master, or make the realm by hand'
      : `give it the role ${role} of the client realm-management; to an account of master, the one of its client "<realm>-realm"`
  return new KeycloakAdminError('admin_denied', message, hint, { role })
}

const unreachable = (cause: ProviderUnreachable) =>
  new KeycloakAdminError(
    'admin_unreachable',
    `Keycloak's Admin API does not answer: ${cause.message}`,
    'the address comes from `provider.internalUrl` or else `provider.issuer`; --admin-url names another',
    { cause },
  )
