import { detached } from '../core/encoding.ts'
import { createByteBoundedCache } from './byte-bounded-cache.ts'
import { handleOf } from './handle.ts'
import { markedHandle, type Revocations } from './revocations.ts'
import type { CacheStatistics, LiveSession } from './session.ts'

/** A cookie value this process has opened, and the session it stands for. */
export interface OpenedCookie {
  /** The site whose cookie it is (`CookieSpec.binding`): a cookie of one host is nothing at another. */
  readonly binding: string
  live: LiveSession
}

/**
 * Opened sessions by cookie value, bounded by bytes. A revocation takes its sessions out at once and keeps them
 * from coming back, so that a hit needs no check of its own. While revocations may be missed nothing is kept.
 */
export interface LiveSessions<T extends OpenedCookie> {
  /** Counts a hit or a miss. */
  get(value: string, binding: string): T | undefined
  /**
   * Keeps an opened cookie; false where the session has been ended: then it must not be used.
   * @param readAt `Revocations.epoch()` when what was opened was read from the store; left out: now
   */
  put(value: string, opened: T, readAt?: number): boolean
  /** What is known of one session: one cookie, or several where the browser's copy was renewed. */
  ofSession(handle: string): readonly T[]
  deleteSession(handle: string): void
  statistics(): CacheStatistics
  close(): void
}

export function openLiveSessions<T extends OpenedCookie>(maxBytes: number, revocations: Revocations): LiveSessions<T> {
  const cookiesByHandle = new Map<string, Map<string, T>>()
  const cache = createByteBoundedCache<Slot<T>>(maxBytes, (key, { handle }) => {
    const cookies = cookiesByHandle.get(handle)
    cookies?.delete(key)
    if (cookies?.size === 0) cookiesByHandle.delete(handle)
  })
  let hits = 0
  let misses = 0

  const deleteSession = (handle: string): void => {
    for (const key of [...(cookiesByHandle.get(handle)?.keys() ?? [])]) cache.delete(key)
  }
  const stopListening = revocations.onMark((mark) => {
    const marked = markedHandle(mark)
    if (marked !== undefined) return deleteSession(marked)
    for (const [key, { opened, handle }] of cache.entries()) {
      if (revocations.covers(opened.live.session, handle)) cache.delete(key)
    }
  })

  const stopAtDeafness = revocations.onDeaf(() => {
    for (const key of [...cache.entries()].map(([key]) => key)) cache.delete(key)
  })

  return {
    get(value, binding) {
      const found = cache.get(keyOf(value))
      if (found === undefined || found.value !== value || found.opened.binding !== binding) {
        misses++
        return undefined
      }
      hits++
      return found.opened
    },
    put(value, opened, readAt = revocations.epoch()) {
      const handle = handleOf(opened.live.session.id)
      if (revocations.covers(opened.live.session, handle)) return false
      if (readAt < 0 || readAt !== revocations.epoch()) return true
      const copy = detached(value)
      const key = keyOf(copy)
      cache.delete(key)
      cookiesByHandle.set(handle, (cookiesByHandle.get(handle) ?? new Map()).set(key, opened))
      cache.set(key, { value: copy, opened, handle }, sizeOf(copy, opened.live))
      return true
    },
    ofSession: (handle) => [...(cookiesByHandle.get(handle)?.values() ?? [])],
    deleteSession,
    statistics: () => ({ entries: cache.size, bytes: cache.bytes, hits, misses }),
    close() {
      stopListening()
      stopAtDeafness()
    },
  }
}

interface Slot<T> {
  readonly value: string
  readonly opened: T
  readonly handle: string
}

/**
 * The end of a cookie finds it (there stand the key of a ticket and the tag of a sealed text), since hashing
 * kilobytes at every request costs more than all the rest; the whole is compared afterwards.
 */
const keyOf = (value: string): string => value.slice(-32)

/** Maps and objects around one entry; an estimate on the high side. */
const overhead = 1_500

/** Estimated heap bytes: texts as they are, claims thrice (parsed, and as header values). */
function sizeOf(key: string, live: LiveSession): number {
  const { identity, tokens } = live.session
  const texts = (tokens.accessToken?.length ?? 0) + (tokens.refreshToken?.length ?? 0) + (tokens.idToken?.length ?? 0)
  return overhead + key.length + texts + 3 * JSON.stringify(identity).length
}
