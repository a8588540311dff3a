import { hash } from 'node:crypto'

export interface TokenCache<T> {
  get(token: string): T | undefined
  /** @param until milliseconds since the epoch */
  set(token: string, value: T, until: number, bytes: number): void
  statistics(): { readonly entries: number; readonly bytes: number; readonly hits: number; readonly misses: number }
}

/**
 * What was found out about tokens, by sha256 of their text: the tokens themselves are not kept. Bounded by bytes;
 * the least recently used go first.
 */
export function createTokenCache<T>(limit: number, now: () => number): TokenCache<T> {
  const entries = new Map<string, { value: T; until: number; bytes: number }>()
  let total = 0
  let hits = 0
  let misses = 0
  const drop = (key: string, bytes: number): void => {
    entries.delete(key)
    total -= bytes
  }
  return {
    get: (token) => {
      const key = keyOf(token)
      const entry = entries.get(key)
      if (entry === undefined || entry.until <= now()) {
        if (entry !== undefined) drop(key, entry.bytes)
        misses++
        return undefined
      }
      // Last in, last out: insertion order is the order of use.
      entries.delete(key)
      entries.set(key, entry)
      hits++
      return entry.value
    },
    set: (token, value, until, bytes) => {
      const key = keyOf(token)
      const old = entries.get(key)
      if (old !== undefined) drop(key, old.bytes)
      entries.set(key, { value, until, bytes })
      total += bytes
      for (const [oldest, entry] of entries) {
        if (total <= limit) break
        drop(oldest, entry.bytes)
      }
    },
    statistics: () => ({ entries: entries.size, bytes: total, hits, misses }),
  }
}

const keyOf = (token: string): string => hash('sha256', token, 'base64url')
