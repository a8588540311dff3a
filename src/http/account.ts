import type { Config } from '../config/config.ts'
import { type AccountKind, accountKindOf } from '../core/account-kind.ts'
import type { Identity } from '../core/identity.ts'

/** The kind of account, in the words of the provider's `accountKinds`. */
export const accountOf = ({ providers }: Pick<Config, 'providers'>, identity: Identity): AccountKind | undefined =>
  accountKindOf(identity, providers.find(({ name }) => name === identity.provider)?.accountKinds ?? {})

/** What a page says somebody signed in with; undefined where that tells nothing. */
export function signedInWith(config: Pick<Config, 'providers'>, identity: Identity): string | undefined {
  const account = accountOf(config, identity)
  if (account !== undefined) return account.label
  const { providers } = config
  return providers.length > 1 ? providers.find(({ name }) => name === identity.provider)?.label : undefined
}
