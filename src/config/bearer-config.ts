/** Whose tokens count, and where they come in. */
export interface BearerConfig {
  /**
   * Lower case: the header a gateway in front puts its token into, which then stands for a session; undefined:
   * Authorization, for API clients.
   */
  readonly header: string | undefined
  readonly issuer: string
  readonly audience: readonly string[]
  /** Where the issuer's keys are; undefined: from discovery. */
  readonly jwksUrl: URL | undefined
  /** Pinned keys (a JWKS read from a file); no request is made for them. */
  readonly keys: readonly JsonWebKeyLike[] | undefined
  readonly internalUrl: URL | undefined
  readonly caFile: string | undefined
  /** Asymmetric algorithms alone; the token's header never chooses. */
  readonly algorithms: readonly string[]
  readonly groupsClaim: string
  /** Ask userinfo once where the token holds no groups. */
  readonly userinfo: boolean
  /** `azp` values accepted; empty: any. */
  readonly clients: readonly string[]
  readonly trustUnverifiedEmail: boolean
  readonly groupPaths: 'keep' | 'ignore'
  readonly claimsKept: readonly string[]
  readonly timeout: number
}

export interface JsonWebKeyLike {
  readonly kty: string
  readonly [member: string]: unknown
}
