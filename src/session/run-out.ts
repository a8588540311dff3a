/** Sessions whose time is up: which of the two ends it was, and who is told. */
import { endOf, type Lifetimes } from './lifetimes.ts'
import type { LiveSession, Session } from './session.ts'

/** `idle`: nothing was asked for too long; `lifetime`: the absolute end. Keys of `session` in the file. */
export type RunOut = 'idle' | 'lifetime'

/** Called when this process finds that a session is over. Nobody is told of one that never comes back. */
export type OnRunOut = (session: Session, why: RunOut) => void

/** Of a session that is over. */
export const runOutOf = ({ session }: LiveSession, now: number, lifetimes: Lifetimes): RunOut =>
  now >= endOf(session, lifetimes) ? 'lifetime' : 'idle'

/** Tells of each session once: a browser, or whoever has its old cookie, may send it again and again. */
export function tellOnce(tell: OnRunOut, most = 10_000): OnRunOut {
  const told = new Set<string>()
  return (session, why) => {
    if (told.has(session.id)) return
    // A set keeps the order it was filled in: the first is the oldest.
    if (told.size >= most) for (const oldest of [...told].slice(0, most / 2)) told.delete(oldest)
    told.add(session.id)
    tell(session, why)
  }
}
