/**
 * What an allowed request's headers lose and gain on the way to the application: the rules of proxy mode, told to a
 * gateway that does the forwarding itself.
 */
import type { Target } from '../../core/target.ts'
import type { Decision } from '../../gate/decision.ts'
import { pushSubprotocols } from '../../proxy/request-headers.ts'
import { withoutCookies } from '../../session/cookie-header.ts'
import { portOf } from '../proxy-door.ts'
import type { Serving } from '../serving.ts'
import type { Checked, HeaderLine } from './check-request.ts'

export interface UpstreamChanges {
  /** Names in lower case, each once; it takes the place of whatever the client sent under it. */
  readonly set: readonly HeaderLine[]
  /** Never one of `set`: Envoy sets first and removes afterwards. */
  readonly remove: readonly string[]
}

export interface Allowed {
  readonly checked: Checked
  readonly target: Target
  readonly decision: Decision
}

type Changing = { readonly set: HeaderLine[]; readonly remove: Set<string> }

export function upstreamChanges(current: Serving, allowed: Allowed): UpstreamChanges {
  const changing: Changing = { set: [], remove: new Set() }
  identity(changing, allowed.decision)
  claimsOfTheClient(changing, current, allowed)
  cookies(changing, current, allowed)
  credentials(changing, current, allowed)
  for (const [name] of changing.set) changing.remove.delete(name)
  return { set: changing.set, remove: [...changing.remove] }
}

/** Envoy keeps every line of the client under a name that the answer leaves out, so each one is set or removed. */
function identity({ set, remove }: Changing, { headers }: Decision): void {
  for (let i = 0; i < headers.all.length; i += 2) {
    const name = headers.all[i]!.toLowerCase()
    const value = headers.all[i + 1]!
    if (value === '') remove.add(name)
    else set.push([name, value])
    // Also where the gateway tells us of some headers alone: the spelling that CGI and WSGI take for the same.
    remove.add(name.replaceAll('-', '_'))
  }
}

/** Whatever reads like proof of who it is, or like the word of a proxy: under every spelling, known or not. */
function claimsOfTheClient({ remove }: Changing, current: Serving, { checked, target }: Allowed): void {
  for (const [name, value] of checked.headers) {
    const kind = current.headerNames.kindOf(name)
    if (kind === 'managed' && !isWordOfGateway(name, value, target)) remove.add(name)
    // CGI reads `Proxy` as HTTP_PROXY (CVE-2016-5385); the other hop-by-hop names are the gateway's own affair.
    if (kind === 'hopByHop' && name.startsWith('proxy')) remove.add(name)
  }
}

/** Exactly these spellings: Envoy writes them or takes them away before it asks. The rest of the family is client text. */
const written = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-client-cert'])

function isWordOfGateway(name: string, value: string, target: Target): boolean {
  if (name === 'x-forwarded-host') return value.toLowerCase() === target.host
  if (name === 'x-forwarded-port') return value === portOf(target)
  return written.has(name) || name.startsWith('x-envoy-')
}

/** Our own cookies never reach an application, nor those the route keeps from it. */
function cookies({ set, remove }: Changing, current: Serving, { checked, decision }: Allowed): void {
  const { cookie } = checked.head.headers
  if (cookie === undefined) return
  const others = withoutCookies(cookie, current.droppedCookies[decision.route!.index]!)
  if (others === undefined) remove.add('cookie')
  else if (others !== cookie) set.push(['cookie', others])
}

/** The client's own Authorization passes where the route says so, under either of its two names. */
function credentials({ set, remove }: Changing, current: Serving, { checked, decision }: Allowed): void {
  const { index } = decision.route!
  const { headers, impersonate } = current.config.routes[index]!
  const { forwardAuthorization } = headers
  // A service account that may speak for anybody is not handed to a gateway.
  const own = impersonate === undefined ? current.authorizations[index]!() : undefined
  if (own !== undefined) set.push(['authorization', own])
  else if (!forwardAuthorization) remove.add('authorization')
  const name = 'sec-websocket-protocol'
  const protocols = checked.head.headers[name]
  if (protocols === undefined) return
  const kept: string[] = []
  pushSubprotocols(kept, name, protocols, forwardAuthorization)
  const [, harmless] = kept
  if (harmless === undefined) remove.add(name)
  else if (harmless !== protocols) set.push([name, harmless])
}
