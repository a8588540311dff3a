import { GatewayError } from '../../core/errors.ts'
import type { Decision } from '../../gate/decision.ts'
import { refusal } from '../door.ts'
import { askingOf, type Exchange } from '../exchange.ts'
import type { ListenerParts } from '../listeners.ts'
import { RequestCredentials, type RequestHead, refuseOwnPages, targetFrom } from '../request-reading.ts'
import type { Serving } from '../serving.ts'
import { type Checked, readCheck } from './check-request.ts'
import { allowed, denied } from './check-response.ts'
import type { CheckResponse, Codec } from './messages.ts'
import { upstreamChanges } from './upstream-changes.ts'

/** One call of the gateway, as bytes: it is not even decoded before we know who asks. */
export interface Call {
  readonly message: Buffer
  /** Address of the gateway; empty where it is not known any more. */
  readonly peer: string
  /** The gateway gave up waiting. */
  isAbandoned(): boolean
}

/** Envoy passes on any status, and every header. */
const envoy = { loginStatus: 302, knowsOnly401And403: false } as const
/** In the log alone: no status exists for a gateway that left. */
const gatewayClosedRequest = 499

type CheckExchange = Exchange<RequestHead>

/**
 * Answers a gateway that asks over gRPC; the same steps as for those that ask over HTTP. Every failure is a no with a
 * status of its own, never a failed call: what a failed call means is for the gateway's file to say.
 */
export function createExtAuthzDoor(parts: Omit<ListenerParts, 'flights' | 'providerLogout'>, codec: Codec) {
  const { observer, tunnels, witness } = parts

  // Made beforehand: what is said where even saying no has failed.
  const lastWord = codec.encode(denied({ status: 500, headers: { 'cache-control': 'no-store' }, body: '' }, false))

  return async function check(call: Call): Promise<Buffer> {
    const current = parts.serving()
    try {
      return await checked(current, call)
    } catch (err) {
      current.log.error({ err, front: 'ext-authz' }, 'unexpected error')
      return lastWord
    }
  }

  async function checked(current: Serving, call: Call): Promise<Buffer> {
    const read = reading(current, call)
    const head = read.checked?.head ?? { headers: {}, socket: { remoteAddress: call.peer } }
    const exchange = observer.open(head, 'ext-authz', envoy)
    const { status, response } = await answer(current, exchange, read)
    const bytes = codec.encode(response)
    observer.finished(exchange, call.isAbandoned() ? gatewayClosedRequest : status)
    return bytes
  }

  /** Before any header is read: what an unknown peer says of a request is worth nothing. */
  function reading({ surroundings, config }: Serving, { message, peer }: Call): Reading {
    try {
      if (!surroundings.trusted.has(peer)) throw untrusted(peer)
      return { checked: readCheck(decoded(message), peer, config.limits.headerBytes), peer }
    } catch (problem) {
      return { checked: undefined, problem }
    }
  }

  function untrusted(peer: string): GatewayError {
    witness.stranger(peer)
    return new GatewayError(
      'peer_untrusted',
      `${peer} asked the ext_authz listener and is not trusted; if it is your ingress, add to the file: trustedProxies: [${peer}]`,
    )
  }

  function decoded(message: Buffer) {
    try {
      return codec.decode(message)
    } catch (cause) {
      throw new GatewayError('forwarded_headers_missing', 'what the gateway sent is no CheckRequest', { cause })
    }
  }

  async function answer(current: Serving, exchange: CheckExchange, read: Reading): Promise<Answered> {
    try {
      if (read.checked === undefined) throw read.problem
      return render(current, exchange, read.checked, await decide(current, exchange, read))
    } catch (error) {
      observer.failed(exchange, error)
      return refused(exchange, current.refuser.fail(error, askingOf(exchange)))
    }
  }

  function decide(current: Serving, exchange: CheckExchange, { checked, peer }: Read): Decision | Promise<Decision> {
    const { surroundings, config, trusted, gate } = current
    // The scheme of publicUrl: over HTTP/2 the gateway's `scheme` is what the client wrote.
    const target = targetFrom({ ...checked.question, scheme: surroundings.scheme }, surroundings)
    exchange.target = target
    witness.asked(peer, undefined)
    refuseOwnPages(target, config.basePath)
    exchange.credentials = new RequestCredentials(checked.head, target.method, trusted, true)
    return gate.decide(target, exchange.credentials)
  }

  function render(current: Serving, exchange: CheckExchange, checked: Checked, decision: Decision): Answered {
    observer.decided(exchange, decision)
    const { verdict, setCookies, live } = decision
    if (verdict.kind !== 'allow') return refused(exchange, refusal(current.refuser, exchange, verdict, decision))
    if (live !== undefined) tunnels.seen(live)
    const changes = upstreamChanges(current, { checked, target: exchange.target!, decision })
    return { status: 200, response: allowed(changes, setCookies) }
  }
}

interface Read {
  readonly checked: Checked
  readonly peer: string
}

type Reading = Read | { readonly checked: undefined; readonly problem: unknown }

interface Answered {
  /** What the client gets; 200 stands for yes. */
  readonly status: number
  readonly response: CheckResponse
}

const refused = ({ request }: CheckExchange, answer: Parameters<typeof denied>[0]): Answered => ({
  status: answer.status,
  response: denied(answer, request.method === 'HEAD'),
})
