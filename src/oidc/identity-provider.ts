import type { ProviderConfig } from '../config/config.ts'
import type { Proof } from '../core/proof.ts'
import type { KeptState } from '../issuer/kept.ts'
import type { EndSessionRequest } from './end-session.ts'
import type { LoginRequest, LoginTransaction } from './login.ts'
import type { Renewable } from './refresh.ts'

/** A service people sign in with, whatever it speaks. The floors above know no more of it than this. */
export interface IdentityProvider {
  readonly config: ProviderConfig
  /**
   * Milliseconds between two questions whether a session still holds, where neither the file nor the life of its
   * token says; undefined where tokens always say.
   */
  readonly confirmEvery: number | undefined
  /**
   * The address to send the browser to.
   * @throws GatewayError `provider_unreachable`
   */
  beginLogin(request: LoginRequest): Promise<URL>
  /**
   * Redeems the code of a callback, once.
   * @param currentUrl the configured redirect URI with the query that came
   * @throws LoginFailure
   */
  finishLogin(currentUrl: URL, transaction: LoginTransaction): Promise<Proof>
  /**
   * Fresh tokens and claims. One flight per session is the caller's duty.
   * @throws RefreshFailure
   */
  renew(session: Renewable): Promise<Proof>
  /** Where to send the browser so that the provider's session ends too; undefined where it has no such place. */
  endSessionUrl(request: EndSessionRequest): URL | undefined
  /** For /readyz. */
  state(): KeptState
  /** Starts what may be tried in the background. Never throws, holds no process open. */
  warmUp(): void
  /** For `form-action` of our pages' CSP: Chromium blocks the redirect after a form post otherwise. */
  authorizationOrigin(): string | undefined
  endSessionOrigin(): string | undefined
  close(): Promise<void>
}
