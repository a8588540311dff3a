import type { LinkFigures } from './link-figures.ts'

/**
 * Short-lived values by key, each with a time to live. Memory and Redis implement it; one contract suite runs
 * against both: test/contracts/key-value.ts. A fault throws GatewayError `store_unreachable`, never looks like
 * "absent".
 */
export interface KeyValue {
  get(key: string): Promise<string | undefined>
  /** @param ttl milliseconds, greater than 0 */
  set(key: string, value: string, ttl: number): Promise<void>
  /** Sets only where the key is absent; true where this call did it. Atomic. */
  add(key: string, value: string, ttl: number): Promise<boolean>
  /** Compare-and-set: sets only where the present value begins with `start`, and says whether it did. Atomic. */
  swap(key: string, start: string, value: string, ttl: number): Promise<boolean>
  /** Reads and deletes in one step, so that a value is used once. */
  take(key: string): Promise<string | undefined>
  /** @param start deletes only a value that begins with this. Atomic. */
  delete(key: string, start?: string): Promise<void>
  /** Gives a key that exists a new time to live, value untouched; false where it is gone. Atomic. */
  extend(key: string, ttl: number): Promise<boolean>
  publish(channel: string, message: string): Promise<void>
  /**
   * A standing subscription: where the connection is lost it comes back by itself, and what was published meanwhile
   * is lost.
   * @param onConnected told of each change; false first where the subscription does not stand yet. Never called by a
   * store that cannot lose it.
   * @returns a function that ends the subscription
   */
  subscribe(
    channel: string,
    listener: (message: string) => void,
    onConnected?: (connected: boolean) => void,
  ): Promise<() => void>
  /** Whether the store can be used at this moment; for /readyz. */
  state(): StoreState
  /** By name of the connection, for the metrics; a store in this process has none. */
  links(): Readonly<Record<string, LinkFigures>>
  close(): Promise<void>
}

export interface StoreState {
  readonly ready: boolean
  /** What is wrong, for the log and /readyz; holds no secret. */
  readonly detail?: string
}
