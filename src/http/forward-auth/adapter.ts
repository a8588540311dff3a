import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../core/errors.ts'

/** What a gateway says it was asked for, before any of it is believed or normalised. */
export interface Asked {
  readonly method: string
  /** Undefined where the gateway cannot tell: publicUrl's scheme counts. */
  readonly scheme: string | undefined
  readonly host: string
  /** Raw request target: path and query as the client sent them. */
  readonly uri: string
}

/** How one gateway family asks, and how it wants "please sign in" said. All else is shared. */
export interface ForwardAuthAdapter {
  /** Names the endpoint: `/auth/<name>`. */
  readonly name: string
  /** The original path follows the endpoint's own (`/auth/envoy/shop?x=1`) instead of coming in a header. */
  readonly takesPath: boolean
  /** @throws GatewayError `forwarded_headers_missing` naming the header */
  asked(request: IncomingMessage, pathBelow: string): Asked
  /** nginx cannot pass a redirect of a subrequest on (302 becomes 500): it gets 401 with a Location. */
  readonly loginStatus: 302 | 401
  /** Host of the question is that of the original request. False: it is the address this gateway has for us. */
  readonly sendsOriginalHost: boolean
  /** Statuses other than 200, 401, 403 and 503 become 500 in this gateway. */
  readonly knowsOnly401And403: boolean
}

/** The one value of a header. Two of a name could be read either way, so they are refused. */
export function single(request: IncomingMessage, name: string, gateway: string): string {
  const value = optionalSingle(request, name, gateway)
  if (value === undefined || value === '') {
    throw new GatewayError(
      'forwarded_headers_missing',
      `${gateway} did not send ${name}; docs/gateways shows the line to add`,
    )
  }
  return value
}

export function optionalSingle(request: IncomingMessage, name: string, gateway: string): string | undefined {
  const value = request.headers[name]
  // Node joins repeated headers with a comma, so only a value with one is worth a second look.
  if (typeof value === 'string' && !value.includes(',')) return value
  const values = request.headersDistinct[name]
  if (values !== undefined && values.length > 1) {
    throw new GatewayError('forwarded_headers_missing', `${gateway} sent ${name} ${values.length} times`)
  }
  return values?.[0]
}
