/** One provider under examination: how the gateway reaches it, and where in the file its keys stand. */
import type { Config, ProviderConfig } from '../../config/config.ts'
import { type UrisToRegister, urisToRegister } from '../../config/uris.ts'
import { silentLog } from '../../core/log.ts'
import { openTransport, type Transport } from '../../issuer/transport.ts'
import { openProvider, type Provider } from '../../oidc/provider.ts'
import type { Case } from './examination.ts'

export interface ProviderVisit extends Case {
  readonly provider: ProviderConfig
  /** What has to be registered there, to the letter. */
  readonly uris: UrisToRegister
  /** The gateway's own view of it. */
  readonly oidc: Provider
  /** The gateway's own wire to it: its CA file, `internalUrl`, deadlines. */
  readonly transport: Transport
  /** `provider.issuer`, or `providers.corporate.issuer`. */
  key(name: string): string
  close(): Promise<void>
}

/** @throws Error where the private key of `private_key_jwt` cannot be read, or a pinned endpoint is plain http */
export function openVisit(about: Case, provider: ProviderConfig): ProviderVisit {
  const { config, clock, lookup } = about
  const { allowInsecureHttp } = config
  const oidc = openProvider(provider, { clock, log: silentLog, allowInsecureHttp })
  const transport = openTransport({ ...provider, allowInsecureHttp, lookup })
  return {
    ...about,
    provider,
    uris: urisOf(config, provider),
    oidc,
    transport,
    key: (name) => `${placeOf(provider)}.${name}`,
    close: async () => {
      await Promise.all([oidc.close(), transport.close()])
    },
  }
}

const urisOf = (config: Config, { name }: ProviderConfig): UrisToRegister =>
  urisToRegister(config).find(({ provider }) => provider === name)!

export const placeOf = ({ name }: ProviderConfig): string => (name === 'default' ? 'provider' : `providers.${name}`)
