import type { SealingKeys } from '../keys/sealing.ts'

/** What comes after a logout that travels through the provider. */
export interface SignedOutWish {
  readonly returnTo: string
  /** "Sign in as someone else": a new login follows at once. */
  readonly signInNext: boolean
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
    write(origin, { returnTo, signInNext, through, goesOnAt }) {
      const target = returnTo.length > longestTarget ? `${origin}/` : returnTo
      return keys.seal(
        'form',
        context(origin),
        Buffer.from([signInNext ? '1' : '', through, goesOnAt, target].join('\n')),
      )
    },
    read(origin, state) {
      const text = keys.open('form', context(origin), state)?.bytes.toString()
      if (text === undefined) return undefined
      const [signInNext, through = '', goesOnAt = '', returnTo = ''] = text.split('\n')
      return { signInNext: signInNext === '1', through, goesOnAt, returnTo }
    },
  }
}
