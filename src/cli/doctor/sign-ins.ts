/** Sign-ins of `--user`: one for each provider, whoever looks. A second with a wrong password may lock the account. */
import { LoginFailure } from '../../oidc/failure.ts'
import type { Case } from './examination.ts'
import { type SignedIn, SignInRefused, signInAtKeycloak } from './keycloak-sign-in.ts'
import { openVisit } from './provider-visit.ts'

export interface SignIns {
  /**
   * The one sign-in, begun by whoever asks first.
   * @param provider its name in the file
   * @throws SignInRefused, also where nobody is to be signed in; LoginFailure; ProviderUnreachable
   */
  at(provider: string): Promise<SignedIn>
  /** Ends the sessions at the providers again. Never throws. */
  close(): Promise<void>
}

/** @param signIn ends in a session at the provider */
export function openSignIns(about: Case, signIn = signInPerson): SignIns {
  const begun = new Map<string, Promise<SignedIn>>()
  return {
    at(provider) {
      const before = begun.get(provider)
      if (before !== undefined) return before
      const first = signIn(about, provider)
      begun.set(provider, first)
      return first
    },
    async close() {
      for (const outcome of await Promise.allSettled(begun.values()))
        if (outcome.status === 'fulfilled') await outcome.value.end()
    },
  }
}

/** Why there was no sign-in, in words for people. */
export const whyNobody = (error: unknown): string =>
  error instanceof SignInRefused || error instanceof LoginFailure ? error.message : 'the provider cannot be reached'

async function signInPerson(about: Case, name: string): Promise<SignedIn> {
  const { config, asked, signal } = about
  const provider = config.providers.find((one) => one.name === name)
  if (asked.person === undefined) throw new SignInRefused('nobody was signed in')
  if (provider?.kind !== 'keycloak') throw new SignInRefused('the doctor knows the login pages of Keycloak alone')
  const visit = openVisit(about, provider)
  const { allowInsecureHttp } = config
  const request = { redirectUri: visit.uris.redirectUris[0]!, person: asked.person, allowInsecureHttp, signal }
  try {
    const signedIn = await signInAtKeycloak(visit.oidc, request)
    return { ...signedIn, end: () => signedIn.end().finally(visit.close) }
  } catch (error) {
    await visit.close()
    throw error
  }
}
