/** A cache bounded by bytes; what nobody used for a while goes first. */
export interface ByteBoundedCache<T> {
  get(key: string): T | undefined
  /** @param bytes what the entry costs; one that is larger than the whole bound is not kept */
  set(key: string, value: T, bytes: number): void
  delete(key: string): void
  entries(): IterableIterator<[string, T]>
  readonly size: number
  readonly bytes: number
}

/** @param onRemove told of every entry that leaves, for whatever reason */
export function createByteBoundedCache<T>(
  maxBytes: number,
  onRemove: (key: string, value: T) => void,
): ByteBoundedCache<T> {
  /** The oldest first. One that was used since it was last looked at gets a second chance: a hit moves nothing. */
  const slots = new Map<string, { readonly value: T; readonly bytes: number; used: boolean }>()
  let total = 0

  const remove = (key: string): void => {
    const slot = slots.get(key)
    if (slot === undefined) return
    slots.delete(key)
    total -= slot.bytes
    onRemove(key, slot.value)
  }

  return {
    get(key) {
      const slot = slots.get(key)
      if (slot === undefined) return undefined
      slot.used = true
      return slot.value
    },
    set(key, value, bytes) {
      remove(key)
      slots.set(key, { value, bytes, used: false })
      total += bytes
      // Those moved to the end come round again, unused then: the loop ends.
      for (const [oldest, slot] of slots) {
        if (total <= maxBytes) break
        if (oldest === key && slots.size > 1) continue
        if (!slot.used) {
          remove(oldest)
          continue
        }
        slot.used = false
        slots.delete(oldest)
        slots.set(oldest, slot)
      }
    },
    delete: remove,
    *entries() {
      for (const [key, slot] of slots) yield [key, slot.value]
    },
    get size() {
      return slots.size
    },
    get bytes() {
      return total
    },
  }
}
