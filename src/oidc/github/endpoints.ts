/** Where GitHub answers. It publishes no discovery document for signing in, so the addresses follow from its kind. */
export interface GitHubEndpoints {
  readonly authorization: URL
  readonly token: URL
  /** Base of the REST API, without a trailing slash. */
  readonly api: string
  /** What `iss` of an authorization response may say (RFC 9207); GitHub names the folder of its OAuth endpoints. */
  readonly issuers: readonly string[]
}

/** @param issuer `https://github.com`, `https://<tenant>.ghe.com`, or the address of a GitHub Enterprise Server */
export function gitHubEndpoints(issuer: string): GitHubEndpoints {
  const base = issuer.replace(/\/+$/, '')
  return {
    authorization: new URL(`${base}/login/oauth/authorize`),
    token: new URL(`${base}/login/oauth/access_token`),
    api: apiOf(base),
    issuers: [base, `${base}/login/oauth`],
  }
}

function apiOf(base: string): string {
  const { protocol, hostname } = new URL(base)
  const isHosted = hostname === 'github.com' || hostname.endsWith('.ghe.com')
  return isHosted ? `${protocol}//api.${hostname}` : `${base}/api/v3`
}
