/** Addresses of another product that are served as well, so that ingress annotations and registered URIs keep working. */
export interface CompatibilityConfig {
  readonly product: 'oauth2-proxy'
  /** The gateway in front, which decides where method, host and path of a question come from. */
  readonly gateway: CompatibleGateway
  /** What `<basePath>/auth` says yes with. */
  readonly authStatus: 200 | 202
}

export const compatibleGateways = ['nginx', 'nginx-gateway', 'traefik', 'caddy', 'haproxy'] as const

export type CompatibleGateway = (typeof compatibleGateways)[number]
