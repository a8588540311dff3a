/** A cache bounded by bytes; what was used longest ago goes first. */
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
  /** In the order of use, the oldest first. */
  const slots = new Map<string, { readonly value: T; readonly bytes: number }>()
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
      slots.delete(key)
      slots.set(key, slot)
      return slot.value
    },
    set(key, value, bytes) {
      remove(key)
      slots.set(key, { value, bytes })
      total += bytes
      for (const oldest of slots.keys()) {
        if (total <= maxBytes) break
        remove(oldest)
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
