import { type ForwardAuthAdapter, single } from './adapter.ts'

/** Traefik, Caddy and HAProxy ask alike: a fixed address, and X-Forwarded-{Method,Proto,Host,Uri}. */
function xForwarded(name: string, sendsOriginalHost: boolean): ForwardAuthAdapter {
  return {
    name,
    takesPath: false,
    loginStatus: 302,
    sendsOriginalHost,
    knowsOnly401And403: false,
    asked: (request) => ({
      method: single(request, 'x-forwarded-method', name),
      scheme: single(request, 'x-forwarded-proto', name),
      host: single(request, 'x-forwarded-host', name),
      uri: single(request, 'x-forwarded-uri', name),
    }),
  }
}

export const traefik = xForwarded('traefik', false)
export const caddy = xForwarded('caddy', true)
export const haproxy = xForwarded('haproxy', true)
