import type { RouteConfig } from '../config/config.ts'
import { createTokenFile } from './token-file.ts'

/**
 * The Authorization header of a route that replaces whatever the client sent; undefined where it has none of its own.
 * @throws GatewayError `token_file_unreadable`
 */
export type UpstreamAuthorization = () => string | undefined

export function createUpstreamAuthorization({
  headers: { basicAuth },
  impersonate,
}: RouteConfig): UpstreamAuthorization {
  if (impersonate !== undefined) {
    const file = createTokenFile(impersonate.tokenFile)
    return () => `Bearer ${file.token()}`
  }
  const fixed = basicAuth && basicCredentials(basicAuth)
  return () => fixed
}

/** RFC 7617 2, in UTF-8. */
function basicCredentials({ username, password }: { username: string; password: { reveal(): string } }): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`
}
