import { joinPath } from '../core/urls.ts'
import type { Config } from './config.ts'

/** What has to be registered at one provider, to the letter (RFC 9700 2.1: redirect URIs are compared exactly). */
export interface UrisToRegister {
  readonly provider: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  /** Any other name the provider's server reaches this gateway by does as well, such as a cluster's service. */
  readonly backchannelLogoutUri: string
}

/** The URIs of every provider, for `check` to print. */
export function urisToRegister({ publicUrls, basePath, providers }: Config): UrisToRegister[] {
  const everywhere = (path: string) => publicUrls.map(({ origin }) => joinPath(origin, `${basePath}/${path}`))
  return providers.map(({ name }) => ({
    provider: name,
    redirectUris: everywhere(callbackPath(name, providers.length)),
    postLogoutRedirectUris: everywhere('signed-out'),
    backchannelLogoutUri: everywhere('backchannel-logout')[0]!,
  }))
}

/** Under basePath: `callback`, or `callback/<name>` where there are several, so that none can answer for another. */
export const callbackPath = (name: string, providers: number): string =>
  providers > 1 ? `callback/${name}` : 'callback'
