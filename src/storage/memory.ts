import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createChannels } from './channels.ts'
import { createExpiringMap } from './expiring-map.ts'
import type { KeyValue } from './key-value.ts'

export interface MemoryKeyValueOptions {
  readonly clock: Clock
  readonly log: Log
  /** Above this the entry written longest ago goes, with one warning. */
  readonly maxEntries: number
}

/** A KeyValue in this process alone; it ends with the process. Every operation is one step, hence atomic. */
export function openMemoryKeyValue({ clock, log, maxEntries }: MemoryKeyValueOptions): KeyValue {
  const channels = createChannels(log)
  const entries = createExpiringMap({ clock, maxEntries, onEvict: warnOnce(log, maxEntries) })
  let closed = false
  const open = () => {
    if (closed) throw new GatewayError('store_unreachable', 'the memory store is closed')
    return entries
  }

  return {
    get: async (key) => open().get(key),
    set: async (key, value, ttl) => open().set(key, value, ttl),
    async add(key, value, ttl) {
      if (open().get(key) !== undefined) return false
      entries.set(key, value, ttl)
      return true
    },
    async swap(key, start, value, ttl) {
      if (open().get(key)?.startsWith(start) !== true) return false
      entries.set(key, value, ttl)
      return true
    },
    async take(key) {
      const value = open().get(key)
      entries.delete(key)
      return value
    },
    async delete(key, start = '') {
      if (open().get(key)?.startsWith(start)) entries.delete(key)
    },
    async extend(key, ttl) {
      const value = open().get(key)
      if (value === undefined) return false
      entries.set(key, value, ttl)
      return true
    },
    async publish(channel, message) {
      open()
      channels.publish(channel, message)
    },
    async subscribe(channel, listener) {
      open()
      return channels.subscribe(channel, listener)
    },
    state: () => ({ ready: !closed }),
    links: () => ({}),
    async close() {
      closed = true
      entries.clear()
      channels.clear()
    },
  }
}

function warnOnce(log: Log, maxEntries: number): () => void {
  let warned = false
  return () => {
    if (!warned) log.warn({ maxEntries }, 'the memory store is full: the oldest sessions end early; use a shared store')
    warned = true
  }
}
