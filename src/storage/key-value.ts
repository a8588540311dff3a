/**
 * Short-lived values by key, each with a time to live. Memory implements it here, Redis later; one contract
 * suite runs against both. A fault throws GatewayError `store_unreachable`, never looks like "absent".
 */
export interface KeyValue {
  get(key: string): Promise<string | undefined>
  /** @param ttl milliseconds, greater than 0 */
  set(key: string, value: string, ttl: number): Promise<void>
  /** Sets only where the key is absent; true where this call did it. Atomic. */
  add(key: string, value: string, ttl: number): Promise<boolean>
  /** Reads and deletes in one step, so that a value is used once. */
  take(key: string): Promise<string | undefined>
  delete(key: string): Promise<void>
  /** Gives a key that exists a new time to live, value untouched; false where it is gone. Atomic. */
  extend(key: string, ttl: number): Promise<boolean>
  publish(channel: string, message: string): Promise<void>
  /** @returns a function that ends the subscription */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => void>
  close(): Promise<void>
}
