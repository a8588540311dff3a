/** What a token endpoint gave us for one session. Never printed, never sent to a browser in the clear. */
export interface Tokens {
  readonly refreshToken?: string
  readonly accessToken?: string
  /** Milliseconds since the epoch; from `expires_in`, else the token's `exp`. */
  readonly accessExpiresAt?: number
  /** For the logout hint and the `{idToken}` template; left out where it does not fit. */
  readonly idToken?: string
  /** Milliseconds since the epoch: `exp - iat` after it came, so that a clock that differs from ours does no harm. */
  readonly idExpiresAt?: number
  /**
   * When the provider's word for the session runs out, milliseconds since the epoch: the end of the refresh token, or of
   * what came where none did. Left out where it named none (offline tokens): then our own limits alone hold.
   */
  readonly providerEndsAt?: number
}
