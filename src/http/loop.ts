import { nextAttempt } from '../session/sign-in-marker.ts'
import type { Answer } from './answer.ts'
import { findSession, loginHref, type OwnRequest, pageAnswer } from './own-request.ts'
import { type LoopFinding, loopPage } from './pages/loop.ts'

/**
 * Which login in a row this one is: one more than the last completed one where its session did not come back, and
 * one more than the state that a failed callback handed on (`again`), for browsers that keep no cookie at all.
 */
export function attemptOf({ serving, site, credentials, query }: OwnRequest, window?: number): number {
  const { markers, flows } = site.sessions
  const marked = nextAttempt(markers.read(credentials.cookie), serving.clock.now(), window)
  const again = query.get('again')
  const handedOn = again === null ? undefined : flows.readState(again)
  return Math.max(marked, handedOn === undefined ? 1 : handedOn.attempt + 1)
}

/** Stops a circle and says what its requests showed. 508, so that a monitor notices. */
export async function loopAnswer(own: OwnRequest, returnTo: URL): Promise<Answer> {
  const { serving, site, exchange } = own
  const findings = await findingsOf(own, returnTo)
  const html = loopPage(serving.config.brand, {
    findings,
    requestId: exchange.requestId,
    retryHref: loginHref(own, returnTo),
  })
  serving.log.warn(
    { requestId: exchange.requestId, findings: findings.map(({ kind }) => kind), site: site.origin },
    'sign-in goes round in circles; see the findings',
  )
  const { requestId, address } = exchange
  serving.audit({ event: 'login_failed', requestId, address, provider: '', reason: 'login_loop' })
  return pageAnswer(own, 508, html, { 'set-cookie': site.sessions.markers.clear() })
}

/** Likeliest first. Without a finding the page takes the cookie for blocked. */
async function findingsOf(own: OwnRequest, returnTo: URL): Promise<readonly LoopFinding[]> {
  const { site, serving, credentials } = own
  const findings: LoopFinding[] = []
  if (site.scheme === 'https' && cameOverHttp(own)) {
    findings.push({ kind: 'secure_cookie_over_http', origin: `http://${site.host}` })
  }
  if (serving.sessions.at(returnTo.origin) !== site.sessions) {
    findings.push({ kind: 'other_domain', host: returnTo.host, cookieDomain: site.sessions.spec.domain ?? site.host })
  }
  const found = await findSession(own)
  const marker = site.sessions.markers.read(credentials.cookie)
  if (found.kind === 'refused' && found.reason === 'expired' && marker !== undefined) {
    const seconds = Math.round(Math.abs(serving.clock.now() - marker.at) / 1000)
    findings.push({ kind: 'clock_skew', seconds })
  }
  return findings.length > 0 ? findings : [{ kind: 'cookies_blocked' }]
}

/** A Secure cookie never travels on http. The page's own address and the proxy's word both tell. */
function cameOverHttp({ exchange, site }: OwnRequest): boolean {
  const { headers } = exchange.request
  return headers['x-forwarded-proto'] === 'http' || (headers.referer ?? '').startsWith(`http://${site.host}`)
}
