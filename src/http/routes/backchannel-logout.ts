import { GatewayError } from '../../core/errors.ts'
import { LogoutTokenError, readLogoutToken } from '../../oidc/backchannel-logout.ts'
import { speaksOpenId } from '../../oidc/provider.ts'
import { hashId } from '../../telemetry/audit.ts'
import { type Answer, json } from '../answer.ts'
import type { ProviderRequest } from '../own-request.ts'
import type { ProviderLogout } from '../provider-logout.ts'

/**
 * `POST backchannel-logout`: the provider tells us that a session of its own has ended (OpenID Connect Back-Channel
 * Logout 1.0, 2.5 to 2.8). No cookie and no origin counts here, the token's signature alone; and 200 is said only
 * when the sessions have ended.
 */
export async function backchannelLogout(request: ProviderRequest, logout: ProviderLogout): Promise<Answer> {
  const { serving, exchange, form } = request
  const { config, clock, log, audit } = serving
  const { requestId, address } = exchange
  try {
    const token = await readLogoutToken([...serving.providers.values()].filter(speaksOpenId), theOne(form))
    const isNew = await logout.once(token, config.session.lifetime, clock.now())
    if (!isNew) throw new LogoutTokenError('this logout token was used before (jti)')
    const { issuer, subject, sid } = token
    const providerSession = sid && hashId(sid)
    audit({ event: 'provider_logout', requestId, address, issuer, subject, providerSession })
    return { status: 200, headers: { 'cache-control': 'no-store' }, body: '' }
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    log.warn({ requestId, address, detail: detailOf(error) }, 'back-channel logout refused')
    return json(400, { error: refusal.error, error_description: refusal.message, request_id: requestId })
  }
}

/** RFC 6749 3.1: a parameter comes once. Whoever reads the first of two and whoever reads the last disagree. */
function theOne(form: URLSearchParams): string {
  const [token, ...more] = form.getAll('logout_token')
  if (token === undefined || token === '') throw new LogoutTokenError('logout_token is missing')
  if (more.length > 0) throw new LogoutTokenError('logout_token comes twice')
  return token
}

const detailOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown fault')

/** 2.8: invalid or failed, the answer is 400. What only the log may know of a failure stays out of it. */
function refusalOf(error: unknown): { error: string; message: string } | undefined {
  if (error instanceof LogoutTokenError) return { error: 'invalid_request', message: error.message }
  if (error instanceof GatewayError && error.status === 503) {
    return { error: 'temporarily_unavailable', message: error.say }
  }
  return undefined
}
