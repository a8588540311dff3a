/** Whether an application takes the tokens that its route hands on; of a Kubernetes API also whom it takes them for. */
import type { RouteConfig, UpstreamConfig } from '../../config/config.ts'
import type { HeaderTemplate } from '../../config/headers-config.ts'
import type { Tokens } from '../../core/tokens.ts'
import { readJwt } from '../../issuer/jwt.ts'
import type { Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { type Ask, anonymous, type Credentials, findKubernetes, type Review, review } from './kubernetes-review.ts'
import { whyNobody } from './sign-ins.ts'
import { askUpstream, upstreamPlace } from './upstream-wire.ts'

export async function examineUpstreamTokens(patient: Patient): Promise<readonly Finding[]> {
  const passing = patient.config.routes.flatMap((route) => passingOf(route))
  return (await Promise.all(passing.map((one) => examineOne(one, patient)))).flat()
}

interface Passing {
  readonly route: RouteConfig
  readonly upstream: UpstreamConfig
  /** The headers of the route that hold a token. */
  readonly templates: readonly HeaderTemplate[]
}

function passingOf(route: RouteConfig): readonly Passing[] {
  const { upstream, headers } = route
  const templates = headers.set.filter(({ parts }) =>
    parts.some(({ kind }) => kind === 'accessToken' || kind === 'idToken'),
  )
  return upstream === undefined || templates.length === 0 ? [] : [{ route, upstream, templates }]
}

async function examineOne(passing: Passing, patient: Patient): Promise<readonly Finding[]> {
  const { route, upstream } = passing
  const name = route.provider ?? patient.config.providers[0]?.name ?? ''
  let tokens: Tokens
  try {
    tokens = (await patient.signIns.at(name)).proof.tokens
  } catch (error) {
    const { providers } = patient.config
    const canSignIn = providers.find((one) => one.name === name)?.kind === 'keycloak'
    return [unseen(passing, whyNobody(error), canSignIn)]
  }
  const ask: Ask = (question) => askUpstream(upstream, question, patient.signal)
  try {
    return await look(passing, tokens, ask, patient)
  } catch {
    // That it cannot be reached has a finding of its own.
    return []
  }
}

async function look(passing: Passing, tokens: Tokens, ask: Ask, patient: Patient): Promise<readonly Finding[]> {
  const credentials = credentialsOf(passing, tokens)
  const base = await findKubernetes(ask, credentials)
  if (base === undefined) return lookAtApplication(passing, tokens, ask)
  const reviewed = await review(ask, base, credentials)
  if (reviewed.kind === 'refused') {
    const other = credentialsOf(passing, exchanged(tokens))
    const takesOther = (await review(ask, base, other)).kind === 'known'
    return [refused(passing, tokens, takesOther)]
  }
  if (reviewed.review.username === anonymous) return [ignored(passing)]
  return groups(passing, tokens, reviewed.review, patient)
}

/** An application may have pages that need no token: only a no to somebody who has one says anything. */
async function lookAtApplication(passing: Passing, tokens: Tokens, ask: Ask): Promise<readonly Finding[]> {
  const path = passing.upstream.addPrefix || '/'
  const { status } = await ask({ path, headers: credentialsOf(passing, tokens) })
  return status === 401 || status === 403 ? [refused(passing, tokens, false, status)] : []
}

const exchanged = ({ accessToken, idToken }: Tokens): Tokens => ({
  ...(idToken !== undefined && { accessToken: idToken }),
  ...(accessToken !== undefined && { idToken: accessToken }),
})

const credentialsOf = ({ templates }: Passing, tokens: Tokens): Credentials =>
  Object.fromEntries(templates.map(({ name, parts }) => [name.toLowerCase(), render(parts, tokens)]))

const render = (parts: HeaderTemplate['parts'], { accessToken = '', idToken = '' }: Tokens): string =>
  parts.map((part) => (part.kind === 'text' ? part.text : part.kind === 'idToken' ? idToken : accessToken)).join('')

const kindOf = ({ templates }: Passing): 'accessToken' | 'idToken' =>
  templates.some(({ parts }) => parts.some(({ kind }) => kind === 'idToken')) ? 'idToken' : 'accessToken'

const tokenOf = (passing: Passing, tokens: Tokens) => readJwt(tokens[kindOf(passing)] ?? '')?.payload

const placeOf = ({ route, upstream }: Passing): string => `route ${route.name}, upstream ${upstreamPlace(upstream)}`

const unseen = (passing: Passing, why: string, canSignIn: boolean): Finding => ({
  name: 'upstream-token-unseen',
  severity: 'unseen',
  place: placeOf(passing),
  cause: `${why}, so the upstream was not asked what it makes of {${kindOf(passing)}}`,
  fix: canSignIn
    ? '`--user NAME`, with the password in DOORWARD_DOCTOR_PASSWORD'
    : 'sign in with a browser, and use the application',
})

function refused(passing: Passing, tokens: Tokens, takesOther: boolean, status = 401): Finding {
  const kind = kindOf(passing)
  const claims = tokenOf(passing, tokens)
  const told =
    claims === undefined ? 'which is no JWT' : `which says iss ${claims.iss} and aud ${[claims.aud].flat().join(', ')}`
  const other = kind === 'idToken' ? 'accessToken' : 'idToken'
  return {
    name: 'upstream-refuses-token',
    severity: 'error',
    place: placeOf(passing),
    cause: `it answers ${status} to {${kind}}, ${told}${takesOther ? `; it takes {${other}}` : ''}`,
    fix: takesOther
      ? `write {${other}} in the headers of the route, or add its audience to the other by a mapper`
      : 'compare with what it expects: issuer, audience, and the claim of the user name (Kubernetes: --oidc-issuer-url, --oidc-client-id, --oidc-username-claim)',
  }
}

const ignored = (passing: Passing): Finding => ({
  name: 'upstream-ignores-token',
  severity: 'error',
  place: placeOf(passing),
  cause: 'it takes a request with the token for anonymous: it does not look at this header',
  fix: `write headers: { Authorization: "Bearer {${kindOf(passing)}}" }`,
})

/** The API puts its --oidc-groups-prefix before each. */
function groups(passing: Passing, tokens: Tokens, { groups: seen }: Review, patient: Patient): readonly Finding[] {
  const provider =
    patient.config.providers.find(({ name }) => name === passing.route.provider) ?? patient.config.providers[0]
  const claim = provider?.groupsClaim ?? 'groups'
  const inToken = tokenOf(passing, tokens)?.[claim]
  const names = (Array.isArray(inToken) ? inToken : []).filter((name) => typeof name === 'string')
  if (names.length === 0 || names.some((name) => seen.some((one) => one.endsWith(name)))) return []
  return [
    {
      name: 'upstream-token-groups',
      severity: 'warning',
      place: placeOf(passing),
      cause: `the token holds groups (${claim}: ${names.slice(0, 3).join(', ')}), and the API sees none of them, but ${seen.join(', ')}`,
      fix: `start the API with --oidc-groups-claim=${claim}, or give the token the claim it looks for`,
    },
  ]
}
