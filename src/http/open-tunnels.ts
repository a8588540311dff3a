import type { Tunnel } from '../proxy/tunnel.ts'
import type { LiveSession } from '../session/session.ts'

/** Websocket close code of a session that is over: the private range has no better one, and others use it too. */
const sessionEnded = 4401
/** RFC 6455 7.4.1 */
const goingAway = 1001

/**
 * Every open tunnel by the session that let it in, so that it ends when the session does. Outlives a reload:
 * connections do not end because a file changed.
 */
export interface OpenTunnels {
  /** @param live undefined where no session proved it (public routes, bearer tokens) */
  add(tunnel: Tunnel, live: LiveSession | undefined): void
  /** A request of a session was let in: that keeps its tunnels too, for traffic inside them does not count. */
  seen(live: LiveSession): void
  /** @param id Session.id */
  endSession(id: string): void
  /** Closes what belongs to sessions that ran out meanwhile. */
  sweep(isOver: (live: LiveSession) => boolean): void
  /** Tells all of them, and any that follow, that this process goes away; waits until they are gone. */
  closeAll(): Promise<void>
}

interface Holder {
  live: LiveSession
  readonly tunnels: Set<Tunnel>
}

export function createOpenTunnels(): OpenTunnels {
  const open = new Set<Tunnel>()
  const bySession = new Map<string, Holder>()
  let closing = false

  function holderOf(live: LiveSession): Holder {
    const known = bySession.get(live.session.id)
    if (known !== undefined) return known
    const holder: Holder = { live, tunnels: new Set() }
    bySession.set(live.session.id, holder)
    return holder
  }

  function forget(tunnel: Tunnel, live: LiveSession | undefined): void {
    open.delete(tunnel)
    const holder = live && bySession.get(live.session.id)
    holder?.tunnels.delete(tunnel)
    if (live !== undefined && holder?.tunnels.size === 0) bySession.delete(live.session.id)
  }

  function end({ tunnels }: Holder): void {
    for (const tunnel of tunnels) tunnel.close(sessionEnded)
  }

  return {
    add(tunnel, live) {
      open.add(tunnel)
      // A decision that was under way when the process began to stop.
      if (closing) tunnel.close(goingAway)
      if (live !== undefined) holderOf(live).tunnels.add(tunnel)
      void tunnel.closed.then(() => forget(tunnel, live))
    },
    seen(live) {
      if (bySession.size === 0) return
      const holder = bySession.get(live.session.id)
      if (holder !== undefined) holder.live = live
    },
    endSession(id) {
      const holder = bySession.get(id)
      if (holder !== undefined) end(holder)
    },
    sweep(isOver) {
      for (const holder of bySession.values()) if (isOver(holder.live)) end(holder)
    },
    async closeAll() {
      closing = true
      for (const tunnel of open) tunnel.close(goingAway)
      while (open.size > 0) await Promise.all(Array.from(open, (tunnel) => tunnel.closed))
    },
  }
}
