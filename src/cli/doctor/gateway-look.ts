/** The gateway in front, tried from outside: is everything that has to be closed closed, and is the no a good one. */
import type { Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import * as told from './gateway-findings.ts'
import { openSignIn } from './gateway-pages.ts'
import { canary, forwardedProbe, identityProbes, type Probe, passedProbes } from './gateway-probes.ts'
import { type Meaning, meaningOf } from './outside-answer.ts'
import {
  askFromOutside,
  navigation,
  type OutsideAnswer,
  type OutsideHeaders,
  script,
  websocketFrom,
} from './outside-ask.ts'
import { type Site, siteOf } from './protected-addresses.ts'
import { wireSentenceOf } from './wire-sentence.ts'

export async function lookFromOutside(patient: Patient, through: URL): Promise<readonly Finding[]> {
  const { config } = patient
  const site = siteOf(config)
  const ask = (url: URL, headers: OutsideHeaders) => askFromOutside(url, headers, patient.signal)
  const outside: Outside = { patient, site, ask, mean: (answer, url) => meaningOf(answer, url, config) }
  if (!site.knows(through)) return [told.hostUnknown(through, config)]
  let first: OutsideAnswer
  let address = through
  try {
    first = await ask(address, navigation)
    const meaning = outside.mean(first, address)
    if (meaning.kind === 'moved') {
      address = meaning.location
      first = await ask(address, navigation)
    }
  } catch (error) {
    return [told.unreachable(through, wireSentenceOf(error))]
  }
  if (!site.knows(address)) return [told.hostUnknown(address, config)]
  const route = site.routeOf(address)
  if (route === undefined || route.access !== 'restricted') return [told.notProtected(address, route?.name)]
  const others = await openAddresses(outside, address)
  const meaning = outside.mean(first, address)
  const signIn = route.acceptsSession ? told.signIn(address, meaning, config) : []
  const pages = meaning.kind === 'sign-in' && signIn.length === 0 ? await openSignIn(patient, meaning.location) : []
  return [
    ...told.certificate(address, first.certificateFault),
    ...(meaning.kind === 'let-in' ? [told.failsOpen(address, meaning.said)] : [...signIn, ...pages]),
    ...others,
    ...(meaning.kind === 'let-in' || meaning.kind === 'unavailable' ? [] : await tricks(outside, address)),
    ...(await passedHeaders(outside, address)),
  ]
}

interface Outside {
  readonly patient: Patient
  readonly site: Site
  ask(url: URL, headers: OutsideHeaders): Promise<OutsideAnswer>
  mean(answer: OutsideAnswer, url: URL): Meaning
}

/** A location of the gateway that forgets to ask: one address under each further route. */
async function openAddresses({ ask, mean, site }: Outside, first: URL): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const url of site.closed(first).slice(1)) {
    const meaning = mean(await ask(url, navigation), url)
    if (meaning.kind === 'let-in') findings.push(told.failsOpen(url, meaning.said))
  }
  return findings
}

async function tricks(outside: Outside, address: URL): Promise<readonly Finding[]> {
  const [open] = outside.site.open(address)
  const probes = [...identityProbes(outside.patient.config), ...(open === undefined ? [] : [forwardedProbe(open)])]
  const findings: Finding[] = []
  for (const probe of probes) findings.push(...(await tryProbe(outside, address, probe)))
  return [
    ...findings,
    ...(await asScript(outside, address)),
    ...(await asWebsocket(outside, address)),
    ...(await largeHeader(outside, address)),
  ]
}

/** Where all of them together open the door, what is not needed is left out until only the key remains. */
async function tryProbe({ ask, mean }: Outside, address: URL, probe: Probe): Promise<readonly Finding[]> {
  const opens = async (headers: OutsideHeaders) => {
    const answer = await ask(address, { ...navigation, ...headers })
    // A gateway that refuses odd names says so by 400, and the application was not reached.
    return answer.status !== 400 && mean(answer, address).kind === 'let-in'
  }
  let needed = probe.headers
  if (!(await opens(needed))) return []
  for (const name of Object.keys(needed)) {
    const { [name]: _, ...rest } = needed
    if (await opens(rest)) needed = rest
  }
  return [told.talkedPast(address, probe, Object.keys(needed))]
}

async function asScript({ ask, mean }: Outside, address: URL): Promise<readonly Finding[]> {
  const meaning = mean(await ask(address, script), address)
  if (meaning.kind === 'let-in') return [told.failsOpen(address, `${meaning.said} to a script`)]
  return meaning.kind === 'sign-in' ? [told.scriptRedirected(address)] : []
}

/** Gateways have settings of their own for upgrades, and some ways for them lead past the question. */
async function asWebsocket({ ask, mean }: Outside, address: URL): Promise<readonly Finding[]> {
  const answer = await ask(address, websocketFrom(address)).catch(() => undefined)
  if (answer === undefined) return []
  const meaning = mean(answer, address)
  return meaning.kind === 'let-in' ? [told.failsOpen(address, `${meaning.said} to a websocket`)] : []
}

/** A sealed session takes up to 3,500 bytes, login flows 4,000, and the application has cookies of its own. */
const cookieBytes = 6000

async function largeHeader({ ask }: Outside, address: URL): Promise<readonly Finding[]> {
  const cookie = `doorward-doctor=${'x'.repeat(cookieBytes)}`
  const status = await ask(address, { ...navigation, cookie }).then(
    (answer) => answer.status,
    () => 0,
  )
  return [0, 400, 413, 431, 494].includes(status) ? [told.headerLimit(address, cookieBytes, status)] : []
}

/** An application that prints what it was sent gives a gateway away that passes on what a client claims to be. */
async function passedHeaders({ ask, site, patient }: Outside, address: URL): Promise<readonly Finding[]> {
  const open = site.open(address)
  if (open.length === 0) return [told.passingUnseen(address)]
  for (const url of open) {
    for (const headers of passedProbes(patient.config)) {
      const answer = await ask(url, { ...navigation, ...headers })
      if (answer.status < 400 && answer.body.includes(canary)) return [told.identityPassed(url)]
    }
  }
  return []
}
