/** The report of `doorward explain`: route, requirements, verdict. */
import type { GatewayError } from '../core/errors.ts'
import type { Identity } from '../core/identity.ts'
import { hrefOf } from '../core/target.ts'
import type { Verdict } from '../core/verdict.ts'
import type { RequirementFinding } from '../policy/explain.ts'
import type { Person } from './explained-person.ts'
import type { Finding, Question } from './explained-request.ts'
import type { Output } from './output.ts'
import { table } from './table.ts'

export interface Report {
  readonly question: Question
  readonly person: Person
  readonly finding: Finding
}

export function printFinding(report: Report, out: Output, json: boolean): void {
  if (json) out.json(asJson(report))
  else for (const line of linesOf(report, out)) out.result(line)
}

/** An address that two readers could take for two: no route is looked at. */
export function printRefused({ message, status, code }: GatewayError, out: Output, json: boolean): void {
  const verdict = { kind: 'refused', reason: code, status, detail: message }
  if (json) out.json({ verdict })
  else out.result(`verdict: ${out.paint.bad('refused')} (${status}), whoever asks: ${message}`)
}

function asJson({ question: { target, address }, person, finding }: Report) {
  const { explanation, decision, shownBy, identity } = finding
  const { considered, route, requirements, outcome, detail, provider, stepUp } = explanation
  return {
    request: { method: target.method, url: hrefOf(target), address },
    person: {
      shownBy,
      verified: person.kind === 'token' && person.result.kind === 'valid',
      identity: identity ?? null,
      ...(person.kind === 'token' && person.result.kind === 'invalid' && { invalid: person.result.detail }),
    },
    outcome,
    ...(detail !== undefined && { detail }),
    route: route ?? null,
    considered,
    requirements,
    ...(provider !== undefined && { provider }),
    ...(stepUp !== undefined && { stepUp }),
    verdict: withoutIdentity(decision.verdict),
    destination: finding.destination ?? null,
    headers: decision.verdict.kind === 'allow' ? byName(decision.headers.known) : {},
  }
}

/** It stands under `person` already. */
function withoutIdentity(verdict: Verdict): object {
  return { ...verdict, identity: undefined }
}

function linesOf({ question: { target, address }, person, finding }: Report, out: Output): string[] {
  const { paint } = out
  const { explanation, decision } = finding
  return [
    paint.strong(`${target.method} ${hrefOf(target)}`),
    `  from ${address}, ${whoAsks(person, finding)}`,
    ...(finding.identity === undefined ? [] : aboutPerson(finding.identity)),
    '',
    'routes, in the order of the file:',
    ...table(explanation.considered.map(({ chosen, route, why }) => [chosen ? 'yes' : 'no', route, why])),
    ...(explanation.route === undefined ? [] : ['', ...access(finding, explanation.route.name)]),
    ...(decision.verdict.kind === 'allow' ? ['', `goes to ${finding.destination}`] : []),
    ...headerLines(decision.headers.known),
    '',
    `verdict: ${sentenceOf(decision.verdict, out)}`,
  ]
}

function whoAsks(person: Person, { shownBy, identity, explanation }: Finding): string {
  if (person.kind === 'nobody') return 'nobody signed in'
  if (person.kind === 'token' && person.result.kind === 'invalid') {
    return `with a token that is not valid: ${person.result.detail}`
  }
  const verified = person.kind === 'claims' && person.from === 'token' ? ' (not verified)' : ''
  if (identity === undefined) {
    const ignored = explanation.route?.access === 'public' ? 'who asks' : `a ${shownBy}`
    return `with a ${shownBy}${verified}; this route does not look at ${ignored}`
  }
  const { username, subject } = identity
  return `as ${username}${username === subject ? '' : ` (sub ${subject})`}, shown by a ${shownBy}${verified}`
}

function aboutPerson({ email, groups, realmRoles, clientRoles, scopes, acr, provider, claims }: Identity): string[] {
  const roles = Object.entries(clientRoles).flatMap(([client, names]) => names.map((name) => `${client}:${name}`))
  const facts = [
    ['provider', provider],
    ['email', email ?? ''],
    ['groups', groups.join(', ')],
    ['realmRoles', realmRoles.join(', ')],
    ['clientRoles', roles.join(', ')],
    ['scopes', scopes.join(', ')],
    ['acr', acr ?? ''],
    ...Object.entries(claims).map(([name, value]) => [name, JSON.stringify(value)]),
  ]
  return table(
    facts.filter(([, value]) => value !== ''),
    '    ',
  )
}

function access({ explanation, identity, decision }: Finding, name: string): string[] {
  const { route, requirements, provider } = explanation
  if (route?.access === 'public') return [`${name} is public: nobody is asked who they are`]
  if (route?.access === 'optional')
    return [`${name} is open to everybody, and told who it is where somebody is signed in`]
  const checks = decision.route?.checks ?? []
  const asked = identity === undefined ? checks.map(({ unmet, rule }) => ['?', unmet.requirement, rule, '']) : []
  const from = provider && [yesNo(provider.met), 'provider', provider.wanted, provider.seen]
  const rows = [...(from ? [from] : []), ...asked, ...requirements.flatMap((one) => rowsOf(one))]
  const signedIn = [yesNo(identity !== undefined), 'signedIn', '', '']
  if (rows.length === 0) return [`${name} asks for:`, ...table([signedIn])]
  return [`${name} asks for:`, ...table([['met', 'requirement', 'rule', 'seen'], signedIn, ...rows])]
}

/** Ways of `anyOf` and the list of `not` stand under them, indented. */
function rowsOf({ met, requirement, rule, seen, parts = [] }: RequirementFinding, depth = 0): string[][] {
  const indent = '  '.repeat(depth)
  const own = [indent + met, indent + requirement, rule, seen]
  const inner = parts.flatMap((part, index) => [
    ...(parts.length > 1 ? [['', `${indent}  way ${index + 1}`, '', '']] : []),
    ...part.flatMap((one) => rowsOf(one, depth + 1)),
  ])
  return [own, ...inner]
}

const yesNo = (met: boolean): string => (met ? 'yes' : 'no')

function headerLines(known: readonly string[]): string[] {
  const pairs = pairsOf(known)
  return pairs.length === 0 ? [] : ['with these headers:', ...table(pairs)]
}

const pairsOf = (flat: readonly string[]): [string, string][] =>
  flat.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, flat[index + 1]!]] : []))

/** A name with several lines (groups that are impersonated) holds a list. */
function byName(flat: readonly string[]): Record<string, string | string[]> {
  const lines = Map.groupBy(pairsOf(flat), ([name]) => name)
  return Object.fromEntries(
    Array.from(lines, ([name, pairs]) => [name, pairs.length === 1 ? pairs[0]![1] : pairs.map(([, value]) => value)]),
  )
}

function sentenceOf(verdict: Verdict, { paint }: Output): string {
  switch (verdict.kind) {
    case 'allow':
      return `${paint.good('allow')}${verdict.identity === undefined ? ', without saying who it is' : ` as ${verdict.identity.username}`}`
    case 'login':
      return `${paint.warning('login')}, ${loginSentence(verdict)}`
    case 'challenge':
      return `${paint.bad('challenge')} (401), ${challengeSentence(verdict)}`
    case 'forbid':
      return `${paint.bad('forbid')} (403), ${forbidSentence(verdict)}`
    case 'unrouted':
      return `${paint.bad('unrouted')} ${unroutedSentences[verdict.reason]}`
  }
}

type Of<Kind extends Verdict['kind']> = Extract<Verdict, { kind: Kind }>

function loginSentence({ reason, acr, maxAge }: Of<'login'>): string {
  if (reason !== 'step_up') return 'a browser is sent to sign in; other clients get 401'
  return `a browser is sent to sign in again${wishes(acr, maxAge)}; other clients get 401`
}

function challengeSentence({ reason, detail, acr, maxAge }: Of<'challenge'>): string {
  if (detail !== undefined) return detail
  return reason === 'step_up' ? `the token is not enough${wishes(acr, maxAge)}` : 'a token is missing'
}

const wishes = (acr: readonly string[] | undefined, maxAge: number | undefined): string =>
  [
    acr === undefined ? '' : ` with acr ${acr.join(' or ')}`,
    maxAge === undefined ? '' : ` not longer than ${maxAge} seconds ago`,
  ]
    .filter((wish) => wish !== '')
    .join(' and')

function forbidSentence({ unmet, detail }: Of<'forbid'>): string {
  return detail ?? `the person would have to ${unmet.map(({ wanted }) => wanted).join('; and ')}`
}

const unroutedSentences: Readonly<Record<Of<'unrouted'>['reason'], string>> = {
  no_route: '(404, or 403 to an ingress), no route of the file has this path',
  host_unknown: '(421, or 403 to an ingress), no route and no publicUrl has this host',
  method_not_allowed: '(405, or 403 to an ingress), the route of this path does not list the method',
}
