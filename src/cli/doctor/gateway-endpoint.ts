/** Whether strangers reach the listener that is for the gateway alone. */
import { randomToken } from '../../core/encoding.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { endpointPublic } from './gateway-findings.ts'
import { askFromOutside, script } from './outside-ask.ts'

/** What the listener says to who is not in trustedProxies. */
const turnedAway: ErrorCode = 'peer_untrusted'

/** It would believe a stranger's words about what was asked for, and show a script the tokens in its headers. */
export async function askAsIngress({ config, signal }: Patient, through: URL): Promise<readonly Finding[]> {
  if (config.forwardAuth === undefined) return []
  const mark = `doorward-doctor-${randomToken(6)}`
  const said = async (url: URL): Promise<string> => {
    const { status, headers, body } = await askFromOutside(url, { ...script, ...claims(through, mark) }, signal)
    // An application that prints what it was asked answers 200.
    return status < 300 ? '' : `${headers.location ?? ''}${headers['www-authenticate'] ?? ''}${body}`
  }
  // A gateway that passes such words on does so at every address; that has a finding of its own.
  if ((await said(new URL(`/${randomToken(6)}`, through))).includes(mark)) return []
  for (const gateway of ['nginx', 'traefik']) {
    const url = new URL(`/auth/${gateway}`, through)
    const words = await said(url)
    if (words.includes(mark)) return [endpointPublic(url, 'error')]
    if (words.includes(JSON.stringify({ error: turnedAway }).slice(1, -1))) return [endpointPublic(url, 'warning')]
  }
  return []
}

const claims = ({ origin, host, protocol }: URL, mark: string) => ({
  'x-original-url': `${origin}/${mark}`,
  'x-original-method': 'GET',
  'x-forwarded-method': 'GET',
  'x-forwarded-uri': `/${mark}`,
  'x-forwarded-host': host,
  'x-forwarded-proto': protocol.slice(0, -1),
})
