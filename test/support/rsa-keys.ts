/**
 * RSA keys for the providers of tests. Making one takes longer than most tests, so those of providers that are gone
 * serve again, under another `kid`: never two providers at a time, and not the next one.
 */
import { generateKeyPair } from 'jose'

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>

export interface KeyLoan {
  readonly keys: KeyPair
  /** From now on others may have it; said twice, it counts once. */
  giveBack(): void
}

/** So many providers come in between before a key is seen again. */
const atLeast = 3
const free: KeyPair[] = []
let made = 0

/** An RS256 key pair that nobody else has now. */
export async function borrowRsaKeys(): Promise<KeyLoan> {
  const keys = (made < atLeast ? undefined : free.shift()) ?? (await makeRsaKeys())
  let isOut = true
  return {
    keys,
    giveBack() {
      if (isOut) free.push(keys)
      isOut = false
    },
  }
}

function makeRsaKeys(): Promise<KeyPair> {
  made++
  return generateKeyPair('RS256', { extractable: true })
}
