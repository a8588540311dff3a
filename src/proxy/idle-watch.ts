/** Something that moves bytes. `quiet` counts the beats since it last did; whoever moves bytes sets it to 0. */
export interface Watched {
  quiet: number
  /** Nothing moved for the whole limit. Called once. */
  onIdle(): void
}

/**
 * Ends transfers that stopped moving, in either direction: an upstream that stopped sending, or a client that
 * stopped reading. One timer for all of them, and no clock on the way of a byte: undici's own body timer cannot be
 * switched off once an answer turns out to be an event stream, and does not see a client that stopped reading.
 */
export interface IdleWatch {
  add(watched: Watched): void
  delete(watched: Watched): void
  close(): void
}

/** Beats within one limit; the limit is met between 1 and 1 + 1/beats times its length. */
const beats = 8

/** @param limit milliseconds without a byte; 0 never ends anything */
export function openIdleWatch(limit: number): IdleWatch {
  const watched = new Set<Watched>()
  let timer: NodeJS.Timeout | undefined
  if (limit === 0) return { add() {}, delete() {}, close() {} }

  function beat(): void {
    for (const each of watched) {
      if (++each.quiet <= beats) continue
      watched.delete(each)
      each.onIdle()
    }
    if (watched.size === 0) stop()
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    add(each) {
      watched.add(each)
      timer ??= setInterval(beat, Math.max(1, limit / beats)).unref()
    },
    delete(each) {
      watched.delete(each)
    },
    close: stop,
  }
}
