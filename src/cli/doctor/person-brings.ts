/**
 * What a real sign-in brings, and whether it fits and is taken. One sign-in for each provider: a second with a wrong
 * password may lock the account.
 */
import type { Examination, Patient } from './examination.ts'
import { examineSizes } from './header-sizes.ts'
import { type PersonSignIn, signInPerson } from './person-sign-in.ts'
import { examineUpstreamTokens } from './upstream-tokens.ts'

/** @param signIn ends in a session at the provider, which is ended again */
export function createPersonBrings(signIn: typeof signInPerson): Examination {
  return {
    name: 'what a person brings',
    async examine(patient) {
      const begun = new Map<string, Promise<PersonSignIn>>()
      const once = (provider: string | undefined): Promise<PersonSignIn> => {
        const name = provider ?? firstOf(patient)
        const before = begun.get(name)
        if (before !== undefined) return before
        const first = signIn(patient, name)
        begun.set(name, first)
        return first
      }
      try {
        return [...(await examineSizes(patient, once)), ...(await examineUpstreamTokens(patient, once))]
      } finally {
        for (const signedIn of await Promise.all(begun.values()))
          if (signedIn.kind === 'signed-in') await signedIn.end()
      }
    },
  }
}

export const personBrings = createPersonBrings(signInPerson)

const firstOf = ({ config }: Patient): string => config.providers[0]?.name ?? ''
