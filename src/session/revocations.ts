import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { SealingKeys } from '../keys/sealing.ts'
import type { KeyValue } from '../storage/key-value.ts'
import { handleOf } from './handle.ts'
import type { Session } from './session.ts'

/**
 * Marks that end sessions before their time, for cookies that open by themselves and for records another process
 * has open. A mark ends what was created before it was received: our clock counts, not the sender's.
 */
export interface Revocations {
  /** Ends one session. Holds in this process at once; throws `store_unreachable` where others could not be told. */
  endSession(session: Session, lifetime: number): Promise<void>
  /** Ends every session of a person (`iss`, `sub`) created so far. */
  endSubject(issuer: string, subject: string, lifetime: number): Promise<void>
  /** Ends the sessions that came from one session at the provider (`iss`, `sid`), created so far. */
  endProviderSession(issuer: string, sid: string, lifetime: number): Promise<void>
  /** Whether a mark ends this session. Synchronous: only what this process has been told. */
  covers(session: Session, handle: string): boolean
  /**
   * Asks the store for marks of a session this process meets for the first time: it may have been ended before we
   * listened. Undefined where the store is this process's own. Throws `store_unreachable`.
   */
  recall(session: Session, handle: string): Promise<void> | undefined
  /** Whether the session of this handle was ended by name; for records that are gone. */
  knows(handle: string): boolean
  /** Told of each new mark, so that caches can let go. @returns a function that ends this */
  onMark(listener: (mark: RevocationMark) => void): () => void
  /**
   * Counts the times we were deaf. Negative while marks may be missed: then nothing may be kept in a cache. What was
   * read in one epoch must not be kept in another.
   */
  epoch(): number
  /** Told when marks may be missed from now on. @returns a function that ends this */
  onDeaf(listener: () => void): () => void
  close(): Promise<void>
}

export interface RevocationMark {
  /** `session <handle>`, or `person` and a keyed hash: who reads the store learns nothing of who was here. */
  readonly key: string
  /** When it was received, milliseconds since the epoch. */
  readonly at: number
  /** When nothing it could end is alive any more. */
  readonly until: number
}

const channel = 'revocations'

export async function openRevocations(deps: {
  readonly kv: KeyValue
  readonly clock: Clock
  readonly log: Log
  /** The keys of the moment: a reload may have rotated them. */
  readonly keys: () => SealingKeys
  /** Other processes write marks to this store too. */
  readonly shared?: boolean
}): Promise<Revocations> {
  const { kv, clock, log, keys, shared = false } = deps
  const marks = createMarks(clock)
  const names = createPersonNames(keys)
  const listeners = new Set<(mark: RevocationMark) => void>()
  const deafListeners = new Set<() => void>()
  let epoch = 0
  let deaf = false

  const accept = (mark: RevocationMark): void => {
    marks.add(mark)
    for (const listener of listeners) listener(mark)
  }
  function hearAgain(connected: boolean): void {
    deaf = !connected
    epoch++
    if (deaf) for (const listener of deafListeners) listener()
  }
  const recallKey = async (key: string): Promise<void> => {
    const message = await kv.get(markKey(key))
    const mark = message === undefined ? undefined : readMark(message)
    if (mark !== undefined) accept(mark)
  }
  const unsubscribe = await kv.subscribe(
    channel,
    (message) => {
      const mark = readMark(message)
      if (mark === undefined) log.warn({ channel }, 'a revocation message could not be read')
      else accept(mark)
    },
    hearAgain,
  )
  const publish = async (keys: readonly string[], lifetime: number): Promise<void> => {
    const at = clock.now()
    const found = keys.map((key) => ({ key, at, until: at + lifetime }))
    for (const mark of found) accept(mark)
    await Promise.all(
      found.map(async (mark) => {
        const message = JSON.stringify(mark)
        await kv.set(markKey(mark.key), message, lifetime)
        await kv.publish(channel, message)
      }),
    )
  }
  const coverPerson = (session: Session): boolean =>
    marks.anyPerson() && names.ofSession(session).some((key) => session.createdAt <= marks.at(key))

  return {
    endSession: (session, lifetime) => publish([sessionKey(handleOf(session.id))], lifetime),
    endSubject: (issuer, subject, lifetime) => publish(names.subject(issuer, subject), lifetime),
    endProviderSession: (issuer, sid, lifetime) => publish(names.providerSession(issuer, sid), lifetime),
    covers: (session, handle) => marks.has(sessionKey(handle)) || coverPerson(session),
    knows: (handle) => marks.has(sessionKey(handle)),
    recall(session, handle) {
      if (!shared) return undefined
      return Promise.all([sessionKey(handle), ...names.ofSession(session)].map(recallKey)).then(() => {})
    },
    epoch: () => (deaf ? -1 : epoch),
    onDeaf(listener) {
      deafListeners.add(listener)
      return () => void deafListeners.delete(listener)
    },
    onMark(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async close() {
      unsubscribe()
      listeners.clear()
      deafListeners.clear()
    },
  }
}

const markKey = (key: string): string => `revoked ${key}`
const sessionKey = (handle: string): string => `session ${handle}`

/**
 * What marks of a person are filed under: one name for each key in use. A mark is written under all of them and looked
 * for under all of them, so that replicas in the middle of a rotation understand each other.
 */
function createPersonNames(keys: () => SealingKeys) {
  const namesOf = (...parts: readonly string[]): readonly string[] =>
    keys()
      .macs('index', JSON.stringify(parts))
      .map((mac) => `person ${mac.toString('base64url')}`)
  const subject = (issuer: string, sub: string) => namesOf('sub', issuer, sub)
  const providerSession = (issuer: string, sid: string) => namesOf('sid', issuer, sid)
  return {
    subject,
    providerSession,
    ofSession: ({ identity, sid }: Session): readonly string[] => [
      ...subject(identity.issuer, identity.subject),
      ...(sid === undefined ? [] : providerSession(identity.issuer, sid)),
    ],
  }
}

/** The handle of a mark that ends one session; undefined where it ends a person's. */
export const markedHandle = (mark: RevocationMark): string | undefined =>
  mark.key.startsWith('session ') ? mark.key.slice('session '.length) : undefined

/** Marks of this process. They are never dropped early: dropping one would bring a session back to life. */
function createMarks(clock: Clock) {
  const marks = new Map<string, RevocationMark>()
  let persons = 0

  const dropOldest = (): void => {
    for (const mark of marks.values()) {
      if (clock.now() < mark.until) return
      forget(mark.key)
    }
  }
  const forget = (key: string): void => {
    if (marks.delete(key) && key.startsWith('person ')) persons--
  }
  /** When the mark of this name was received; before all times where there is none. */
  const at = (key: string): number => marks.get(key)?.at ?? Number.NEGATIVE_INFINITY

  return {
    add(mark: RevocationMark): void {
      dropOldest()
      // Messages may overtake each other; an older one must not shorten what a newer one ends.
      if (at(mark.key) > mark.at) return
      forget(mark.key)
      marks.set(mark.key, mark)
      if (mark.key.startsWith('person ')) persons++
    },
    has: (key: string): boolean => marks.has(key),
    anyPerson: (): boolean => persons > 0,
    at,
  }
}

/** A message of the channel. Foreign text on it is ignored, never an exception. */
function readMark(message: string): RevocationMark | undefined {
  try {
    const value: unknown = JSON.parse(message)
    if (typeof value !== 'object' || value === null) return undefined
    const { key, at, until } = value as Record<string, unknown>
    if (typeof key !== 'string' || typeof at !== 'number' || typeof until !== 'number') return undefined
    return { key, at, until }
  } catch {
    return undefined
  }
}
