import type { SealingKeys } from '../keys/sealing.ts'

/**
 * `page`: the page that says so. `login`: a new login follows at once ("sign in as someone else"). `back`: to
 * `returnTo`, without a page in between.
 */
export type AfterSignOut = 'page' | 'login' | 'back'

/** What comes after a logout that travels through the provider. */
export interface SignedOutWish {
  readonly returnTo: string
  readonly next: AfterSignOut
  /** The way back leads through the provider's own logout; empty where it does not. Name of the provider. */
  readonly through: string
  /** Name of the provider whose own session goes on; empty where it ended, or nobody was signed in. */
  readonly goesOnAt: string
}

/** The `state` of RP-initiated logout: sealed, because it comes back as anybody's query parameter. */
export interface SignedOutStates {
  write(origin: string, wish: SignedOutWish): string
  read(origin: string, state: string): SignedOutWish | undefined
}

/** Longer targets would make an address that proxies on the way refuse. Characters. */
const longestTarget = 1000

export function createSignedOutStates(keys: SealingKeys): SignedOutStates {
  const context = (origin: string) => `signed-out ${origin}`
  return {
    write(origin, { returnTo, next, through, goesOnAt }) {
      const target = returnTo.length > longestTarget ? `${origin}/` : returnTo
      return keys.seal('form', context(origin), Buffer.from([next, through, goesOnAt, target].join('\n')))
    },
    read(origin, state) {
      const text = keys.open('form', context(origin), state)?.bytes.toString()
      if (text === undefined) return undefined
      const [next, through = '', goesOnAt = '', returnTo = ''] = text.split('\n')
      return { next: afterSignOut(next), through, goesOnAt, returnTo }
    },
  }
}

/** As a form or a link asks for it. */
export const afterSignOut = (written: string | null | undefined): AfterSignOut =>
  written === 'login' || written === 'back' ? written : 'page'
