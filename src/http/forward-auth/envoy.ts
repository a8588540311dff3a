import { type ForwardAuthAdapter, optionalSingle, single } from './adapter.ts'

/** Envoy's ext_authz over HTTP: the request itself, method and Host included, with our prefix before its path. */
function extAuthz(name: string): ForwardAuthAdapter {
  return {
    name,
    takesPath: true,
    loginStatus: 302,
    sendsOriginalHost: true,
    knowsOnly401And403: false,
    asked: (request, pathBelow) => ({
      method: request.method ?? '',
      scheme: optionalSingle(request, 'x-forwarded-proto', name),
      host: single(request, 'host', name),
      uri: pathBelow,
    }),
  }
}

/** Envoy, Istio `CUSTOM`, Envoy Gateway, Contour. */
export const envoy = extAuthz('envoy')
/** Gateway API `ExternalAuth` with protocol HTTP, in the implementations that stand on Envoy. */
export const gatewayApi = extAuthz('gateway-api')
