import type { Clock } from '../core/clock.ts'

/** A bounded map whose entries end by the clock. No timers: each write looks at a few entries and drops the expired. */
export interface ExpiringMap {
  get(key: string): string | undefined
  /** @param ttl milliseconds, greater than 0 */
  set(key: string, value: string, ttl: number): void
  delete(key: string): void
  clear(): void
  readonly size: number
}

export interface ExpiringMapOptions {
  readonly clock: Clock
  /** Above this the entry written longest ago goes. */
  readonly maxEntries: number
  /** Told each time a live entry had to go. */
  onEvict(): void
}

interface Entry {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Entries looked at per write in search of expired ones: two keep up with any rate of writing. */
const sweptPerWrite = 2

export function createExpiringMap({ clock, maxEntries, onEvict }: ExpiringMapOptions): ExpiringMap {
  /** In the order of writing, so that the first is the oldest. */
  const entries = new Map<string, Entry>()
  let sweep = entries.entries()

  const sweepSome = (): void => {
    for (let looked = 0; looked < sweptPerWrite; looked++) {
      const next = sweep.next()
      if (next.done) sweep = entries.entries()
      else if (clock.now() >= next.value[1].expiresAt) entries.delete(next.value[0])
    }
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined || clock.now() < entry.expiresAt) return entry?.value
      entries.delete(key)
      return undefined
    },
    set(key, value, ttl) {
      if (!(ttl > 0)) throw new RangeError(`a time to live of ${ttl} ms`)
      entries.delete(key)
      entries.set(key, { value, expiresAt: clock.now() + ttl })
      sweepSome()
      if (entries.size <= maxEntries) return
      const oldest = entries.keys().next()
      if (!oldest.done) entries.delete(oldest.value)
      onEvict()
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    get size() {
      return entries.size
    },
  }
}
