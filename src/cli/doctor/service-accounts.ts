/** Routes that speak for people to a Kubernetes API: whether it takes the service account's token, and lets it speak. */
import { readFileSync } from 'node:fs'
import type { Config, RouteConfig } from '../../config/config.ts'
import { wireCodeOf } from '../../core/wire-fault.ts'
import type { Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { findKubernetes, review } from './kubernetes-review.ts'
import { refusalToSpeak } from './speaking-for-people.ts'
import { askUpstream, upstreamPlace } from './upstream-wire.ts'

export const serviceAccounts: Examination = {
  name: 'service accounts',
  examine: async (patient) =>
    (await Promise.all(patient.config.routes.map((route) => examineRoute(route, patient)))).flat(),
}

type Impersonating = NonNullable<Config['routes'][number]['impersonate']>

async function examineRoute(route: RouteConfig, patient: Patient): Promise<readonly Finding[]> {
  const { impersonate, upstream } = route
  if (impersonate === undefined || upstream === undefined) return []
  const token = readToken(impersonate)
  if (token instanceof Error) return [missing(route, impersonate, token)]
  const credentials = { authorization: `Bearer ${token}` }
  try {
    const ask = (question: Parameters<typeof askUpstream>[1]) => askUpstream(upstream, question, patient.signal)
    const base = await findKubernetes(ask, credentials)
    if (base === undefined) return []
    const place = upstreamPlace(upstream)
    if ((await review(ask, base, credentials)).kind === 'refused') return [refused(route, place)]
    const said = await refusalToSpeak({ route, ask, base, token }, patient)
    return said === undefined ? [] : [mayNotSpeak(route, place, said)]
  } catch {
    // That it cannot be reached has a finding of its own.
    return []
  }
}

function readToken({ tokenFile }: Impersonating): string | Error {
  try {
    const text = readFileSync(tokenFile, 'utf8').trim()
    return text === '' ? new Error('it is empty') : text
  } catch (error) {
    return new Error(wireCodeOf(error), { cause: error })
  }
}

const missing = ({ name }: RouteConfig, { tokenFile }: Impersonating, { message }: Error): Finding => ({
  name: 'service-account-token-missing',
  severity: 'error',
  place: `route ${name}, impersonate`,
  cause: `the file ${tokenFile} holds no token here: ${message}`,
  fix: 'mount the token of the service account there, readable for this user; in a pod that is not switched off it is there',
})

const refused = ({ name }: RouteConfig, place: string): Finding => ({
  name: 'upstream-refuses-service-account',
  severity: 'error',
  place: `route ${name}, upstream ${place}`,
  cause: 'the API answers 401 to the token of the service account',
  fix: 'let the token be of this cluster and for its audience, and not expired: a projected token is renewed in its file',
})

const mayNotSpeak = ({ name }: RouteConfig, place: string, said: string): Finding => ({
  name: 'upstream-refuses-impersonation',
  severity: 'error',
  place: `route ${name}, upstream ${place}`,
  cause: `the API does not let the service account speak for the person who signed in: ${said}`,
  fix: 'let its role have the verb impersonate for this user and each of these groups, or keep groups out with groupsKept',
})
