/** Owns who may do a thing that only one process may do at a time, and how the others learn that it is done. */
import { randomToken } from '../core/encoding.ts'
import type { Log } from '../core/log.ts'
import type { KeyValue } from './key-value.ts'

export interface Leases {
  /** The lease of this name, or word from whoever has it. @throws GatewayError `store_unreachable` */
  acquire(name: string): Promise<Lease | Busy>
  /** Told of every lease that another process released, and its word. @returns a function that ends this */
  onReleased(listener: (name: string, word: string) => void): () => void
  close(): void
}

/**
 * Renewed in the background until it is released. A holder that was paused for longer than the lease may find
 * another one beside it: what is written under a lease is therefore compared with what was read under it
 * (`KeyValue.swap`), so that the later of the two overwrites nothing.
 */
export interface Lease {
  readonly kind: 'held'
  /** @param word told to everybody who waits */
  release(word: string): Promise<void>
}

export interface Busy {
  readonly kind: 'busy'
  /** The word the holder left with; undefined where it went silent and the lease has run out. */
  readonly done: Promise<string | undefined>
}

/** Milliseconds a lease lives without its holder: so long the others wait for one that died. */
const usualTime = 5000
const renewalsPerTime = 4
const channel = 'leases'

export async function openLeases(kv: KeyValue, log: Log, leaseTime = usualTime): Promise<Leases> {
  const waiting = new Map<string, Set<(word: string | undefined) => void>>()
  const listeners = new Set<(name: string, word: string) => void>()
  const self = randomToken(8)
  const unsubscribe = await kv.subscribe(channel, (message) => {
    const [name = '', word = '', from] = message.split('\n', 3)
    for (const wake of [...(waiting.get(name) ?? [])]) wake(word)
    if (from !== self) for (const listener of listeners) listener(name, word)
  })

  /** Listening begins before the lease is asked for: a word between the two would be missed. */
  function listen(name: string) {
    const wakers = waiting.get(name) ?? new Set()
    waiting.set(name, wakers)
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const stop = (word?: string): void => {
      clearTimeout(timer)
      wakers.delete(stop)
      if (wakers.size === 0 && waiting.get(name) === wakers) waiting.delete(name)
      resolve(word)
    }
    const timer = setTimeout(stop, leaseTime)
    wakers.add(stop)
    return { word: promise, stop }
  }

  function hold(name: string, key: string, owner: string): Lease {
    const renewal = setInterval(() => {
      kv.swap(key, owner, owner, leaseTime).catch((error: unknown) =>
        log.warn({ err: error }, 'a lease was not renewed'),
      )
    }, leaseTime / renewalsPerTime).unref()
    return {
      kind: 'held',
      async release(word) {
        clearInterval(renewal)
        await kv.delete(key, owner)
        await kv.publish(channel, `${name}\n${word}\n${self}`)
      },
    }
  }

  return {
    async acquire(name) {
      const [key, owner] = [`lease ${name}`, randomToken(16)]
      const { word, stop } = listen(name)
      try {
        if (!(await kv.add(key, owner, leaseTime))) return { kind: 'busy', done: word }
      } catch (error) {
        stop()
        throw error
      }
      stop()
      return hold(name, key, owner)
    },
    onReleased(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close() {
      unsubscribe()
      listeners.clear()
    },
  }
}
