import type { Log } from '../core/log.ts'

/** Publish and subscribe within this process. */
export interface Channels {
  publish(channel: string, message: string): void
  /** @returns a function that ends the subscription */
  subscribe(channel: string, listener: (message: string) => void): () => void
  clear(): void
}

export function createChannels(log: Log): Channels {
  const channels = new Map<string, Set<(message: string) => void>>()
  return {
    publish(channel, message) {
      // A copy, so that a listener may end its own subscription; a failing one must not silence the rest.
      for (const listener of [...(channels.get(channel) ?? [])]) {
        try {
          listener(message)
        } catch (error) {
          log.error({ err: error, channel }, 'a subscriber failed')
        }
      }
    },
    subscribe(channel, listener) {
      // A function of its own, so that one listener subscribed twice is two subscriptions.
      const own = (message: string): void => listener(message)
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners.add(own))
      return () => {
        listeners.delete(own)
        if (listeners.size === 0 && channels.get(channel) === listeners) channels.delete(channel)
      }
    },
    clear: () => channels.clear(),
  }
}
