/** Whether a Kubernetes API lets the service account of a route ask in a person's name: its role may lack a group. */
import type { RouteConfig } from '../../config/config.ts'
import type { Identity } from '../../core/identity.ts'
import { silentLog } from '../../core/log.ts'
import { isJsonObject, parseStrictJson } from '../../core/strict-json.ts'
import { compileImpersonation } from '../../gate/impersonation.ts'
import { compilePolicy } from '../../policy/policy.ts'
import type { Patient } from './examination.ts'
import type { Ask } from './kubernetes-review.ts'

export interface Speaking {
  readonly route: RouteConfig
  readonly ask: Ask
  /** The path below which the API is. */
  readonly base: string
  /** Of the service account. */
  readonly token: string
}

/**
 * The API's own words where it refuses to take a request for the person of `--user`; undefined where it takes it,
 * where nobody signed in, and where the route lets this person in no more than it speaks for them.
 */
export async function refusalToSpeak(speaking: Speaking, patient: Patient): Promise<string | undefined> {
  const identity = await whoSignedIn(speaking.route, patient)
  const headers = identity && headersFor(identity, speaking, patient)
  if (headers === undefined) return undefined
  const { status, text } = await speaking.ask({
    method: 'POST',
    path: `${speaking.base}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
  })
  const said = status === 403 ? messageOf(text) : ''
  return said.includes('impersonate') ? said : undefined
}

async function whoSignedIn({ provider }: RouteConfig, { config, signIns }: Patient): Promise<Identity | undefined> {
  try {
    return (await signIns.at(provider ?? config.providers[0]?.name ?? '')).proof.identity
  } catch {
    // That nobody did has a finding of its own.
    return undefined
  }
}

function headersFor(identity: Identity, { route, token }: Speaking, { clock }: Patient) {
  const [compiled] = compilePolicy([route], []).routes
  const context = { now: clock.now(), clientAddress: '127.0.0.1' }
  if (route.impersonate === undefined || compiled === undefined) return undefined
  if (compiled.access === 'restricted' && compiled.unmet(identity, context).length > 0) return undefined
  const impersonation = compileImpersonation(route.impersonate, silentLog)(identity)
  if ('unfit' in impersonation) return undefined
  const headers: Record<string, string | string[]> = { authorization: `Bearer ${token}` }
  const { lines } = impersonation
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at] ?? ''
    headers[name] = [...[headers[name] ?? []].flat(), lines[at + 1] ?? '']
  }
  return headers
}

/** Of a Status object. */
function messageOf(text: string): string {
  try {
    const status = parseStrictJson(text)
    return isJsonObject(status) && typeof status.message === 'string' ? status.message : ''
  } catch {
    return ''
  }
}
