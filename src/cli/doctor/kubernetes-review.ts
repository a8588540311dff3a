/** Asks a Kubernetes API whom it takes somebody for: SelfSubjectReview of authentication.k8s.io/v1, which creates nothing. */
import { readJson } from '../../core/foreign-json.ts'
import { isJsonObject } from '../../core/strict-json.ts'
import type { UpstreamAnswer, UpstreamQuestion } from './upstream-wire.ts'

export type Ask = (question: UpstreamQuestion) => Promise<UpstreamAnswer>
export type Credentials = Readonly<Record<string, string>>

/** Whom a request without credentials is taken for. */
export const anonymous = 'system:anonymous'

export interface Review {
  readonly username: string
  readonly groups: readonly string[]
}

/** Undefined where the API did not take the credentials. */
export type Reviewed = { readonly kind: 'known'; readonly review: Review } | { readonly kind: 'refused' }

/**
 * The path below which the API is: empty, or where Headlamp forwards to it (its `/config` names the clusters).
 * Undefined where the upstream has no Kubernetes API.
 */
export async function findKubernetes(ask: Ask, credentials: Credentials): Promise<string | undefined> {
  if (await isKubernetes(ask, '', credentials)) return ''
  const { text } = await ask({ path: '/config', headers: credentials })
  const config = readJson(text)
  const clusters = isJsonObject(config) && Array.isArray(config.clusters) ? config.clusters : []
  const name: unknown = isJsonObject(clusters[0]) ? clusters[0].name : undefined
  if (typeof name !== 'string') return undefined
  const base = `/clusters/${encodeURIComponent(name)}`
  return (await isKubernetes(ask, base, credentials)) ? base : undefined
}

/** `/version` answers its version, or refuses in a Status object: either is nobody else's. */
async function isKubernetes(ask: Ask, base: string, headers: Credentials): Promise<boolean> {
  const answer = readJson((await ask({ path: `${base}/version`, headers })).text)
  if (!isJsonObject(answer)) return false
  return answer.kind === 'Status' || (typeof answer.major === 'string' && typeof answer.minor === 'string')
}

export async function review(ask: Ask, base: string, credentials: Credentials): Promise<Reviewed> {
  const answer = await ask({
    method: 'POST',
    path: `${base}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
    headers: { ...credentials, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
  })
  // Only somebody who is known may ask who they are: the refusal names whom it was for.
  if (answer.status === 403 && answer.text.includes(anonymous)) {
    return { kind: 'known', review: { username: anonymous, groups: [] } }
  }
  const known = answer.status === 201 ? readReview(readJson(answer.text)) : undefined
  return known === undefined ? { kind: 'refused' } : { kind: 'known', review: known }
}

function readReview(value: unknown): Review | undefined {
  const status = isJsonObject(value) ? value.status : undefined
  const user = isJsonObject(status) ? status.userInfo : undefined
  if (!isJsonObject(user) || typeof user.username !== 'string') return undefined
  const groups = Array.isArray(user.groups) ? user.groups.filter((group) => typeof group === 'string') : []
  return { username: user.username, groups }
}
