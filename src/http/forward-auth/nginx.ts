import { GatewayError } from '../../core/errors.ts'
import { type ForwardAuthAdapter, single } from './adapter.ts'

const originalUrl = /^(https?):\/\/([^/?#]*)(.*)$/is

/**
 * nginx `auth_request` and ingress-nginx: the subrequest is always a GET of one fixed address; X-Original-URL
 * and X-Original-Method say what the client asked. Both hold client text, raw.
 */
export const nginx: ForwardAuthAdapter = {
  name: 'nginx',
  takesPath: false,
  loginStatus: 401,
  sendsOriginalHost: false,
  knowsOnly401And403: true,
  asked(request) {
    // Cut by hand: the URL parser would resolve dots and backslashes before we could refuse them.
    const match = originalUrl.exec(single(request, 'x-original-url', 'nginx'))
    if (match === null) throw new GatewayError('forwarded_headers_missing', 'X-Original-URL is not an http address')
    const [, scheme, host, uri] = match
    return { method: single(request, 'x-original-method', 'nginx'), scheme: scheme!, host: host!, uri: uri || '/' }
  },
}

/**
 * NGINX Gateway Fabric's ExternalAuth: `auth_request` underneath, but the question comes in headers that are
 * literally called `Path` and `Method`, and the Host is the original one.
 */
export const nginxGateway: ForwardAuthAdapter = {
  name: 'nginx-gateway',
  takesPath: false,
  loginStatus: 401,
  sendsOriginalHost: true,
  knowsOnly401And403: true,
  asked: (request) => ({
    method: single(request, 'method', 'NGINX Gateway Fabric'),
    scheme: undefined,
    host: single(request, 'host', 'NGINX Gateway Fabric'),
    uri: single(request, 'path', 'NGINX Gateway Fabric'),
  }),
}
