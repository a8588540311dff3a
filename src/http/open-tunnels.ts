import type { LiveSession } from '../session/session.ts'

/** Websocket close code of a session that is over: the private range has no better one, and others use it too. */
const sessionEnded = 4401
/** RFC 6455 7.4.1 */
const goingAway = 1001

/** What proved an open connection, and ends it: a session, a bearer token with its `exp`, or nothing (public routes). */
export interface Proof {
  readonly live: LiveSession | undefined
  /** Milliseconds since the epoch; undefined for sessions, whose end moves. */
  readonly until: number | undefined
}

/** A tunnel, or an answer that is still on its way. */
export interface Open {
  /** @param code for websockets; anything else is cut */
  close(code: number): void
}

export interface OpenTunnel extends Open {
  readonly closed: Promise<void>
}

/**
 * Every open tunnel by what let it in, so that it ends when that does; and with them the answers that take their time:
 * streams without an end (server-sent events, a Kubernetes watch) and long downloads. Outlives a reload: connections do
 * not end because a file changed.
 */
export interface OpenTunnels {
  add(tunnel: OpenTunnel, proof: Proof): void
  /**
   * An answer on its way. The process's own end is not its end: running answers are waited for.
   * @param endless it has no end of its own, so its session's running out ends it; a download that is under way when its
   * session runs out is let finish. Whoever signs out, or is signed out, ends both.
   * @returns to be called when it is over
   */
  addAnswer(answer: Open, proof: Proof, endless: boolean): () => void
  /** A request of a session was let in: that keeps its tunnels too, for traffic inside them does not count. */
  seen(live: LiveSession): void
  /** @param id Session.id */
  endSession(id: string): void
  /** Closes what belongs to sessions that were ended from elsewhere. */
  endCovered(isEnded: (live: LiveSession) => boolean): void
  /** Closes what belongs to sessions and tokens that ran out meanwhile. */
  sweep(isOver: (live: LiveSession) => boolean, now: number): void
  /** Tells all tunnels, and any that follow, that this process goes away; waits until they are gone. */
  closeAll(): Promise<void>
}

interface Holder {
  live: LiveSession
  /** Whether each has no end of its own. */
  readonly open: Map<Open, boolean>
}

export function createOpenTunnels(): OpenTunnels {
  const tunnels = new Set<OpenTunnel>()
  const bySession = new Map<string, Holder>()
  const byToken = new Map<Open, number>()
  let closing = false

  function hold(one: Open, { live, until }: Proof, endless: boolean): () => void {
    if (live === undefined) {
      if (until !== undefined && endless) byToken.set(one, until)
      return () => void byToken.delete(one)
    }
    const { id } = live.session
    const holder = bySession.get(id) ?? { live, open: new Map() }
    bySession.set(id, holder)
    holder.open.set(one, endless)
    return () => {
      holder.open.delete(one)
      if (holder.open.size === 0 && bySession.get(id) === holder) bySession.delete(id)
    }
  }

  function end({ open }: Holder, endlessAlone: boolean): void {
    for (const [one, endless] of open) if (endless || !endlessAlone) one.close(sessionEnded)
  }

  return {
    add(tunnel, proof) {
      tunnels.add(tunnel)
      // A decision that was under way when the process began to stop.
      if (closing) tunnel.close(goingAway)
      const release = hold(tunnel, proof, true)
      void tunnel.closed.then(() => {
        tunnels.delete(tunnel)
        release()
      })
    },
    addAnswer: hold,
    seen(live) {
      if (bySession.size === 0) return
      const holder = bySession.get(live.session.id)
      if (holder !== undefined) holder.live = live
    },
    endSession(id) {
      const holder = bySession.get(id)
      if (holder !== undefined) end(holder, false)
    },
    endCovered(isEnded) {
      for (const holder of bySession.values()) if (isEnded(holder.live)) end(holder, false)
    },
    sweep(isOver, now) {
      for (const holder of bySession.values()) if (isOver(holder.live)) end(holder, true)
      for (const [one, until] of byToken) if (until <= now) one.close(sessionEnded)
    },
    async closeAll() {
      closing = true
      for (const tunnel of tunnels) tunnel.close(goingAway)
      while (tunnels.size > 0) await Promise.all(Array.from(tunnels, (tunnel) => tunnel.closed))
    },
  }
}
