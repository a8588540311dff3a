import { sha256 } from '../core/encoding.ts'
import type { KeyValue } from '../storage/key-value.ts'
import type { Answer } from './answer.ts'

export type Flight =
  /** Redeemed by this call, or by one at the same moment: the same answer for both. */
  | { readonly kind: 'flown'; readonly answer: Answer }
  /** This state was redeemed before. */
  | { readonly kind: 'replayed' }

/** Redeems each login once, however often its callback address is opened (double click, prefetch, Back button). */
export interface CallbackFlights {
  once(state: string, redeem: () => Promise<Answer>): Promise<Flight>
}

/** Milliseconds; longer than the ten minutes a flow may live, so that a used state is never fresh again. */
const remembered = 660_000

export function createCallbackFlights(kv: KeyValue): CallbackFlights {
  const flying = new Map<string, Promise<Flight>>()

  async function fly(key: string, redeem: () => Promise<Answer>): Promise<Flight> {
    if (!(await kv.add(key, '1', remembered))) return { kind: 'replayed' }
    return { kind: 'flown', answer: await redeem() }
  }

  return {
    once(state, redeem) {
      const key = `callback ${sha256(state).toString('base64url')}`
      const known = flying.get(key)
      if (known !== undefined) return known
      const flight = fly(key, redeem).finally(() => flying.delete(key))
      flying.set(key, flight)
      return flight
    },
  }
}
