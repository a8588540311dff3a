/** Owns what this process hears from Redis: its listeners, and the one connection that feeds them. */
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createChannels } from './channels.ts'
import type { KeyValue } from './key-value.ts'
import { dialForMessages, type RedisListening } from './redis-dial.ts'
import { openRedisLink, type RedisLink } from './redis-link.ts'
import type { RedisOptions } from './redis-options.ts'

export interface RedisMessages extends Pick<RedisLink, 'tried' | 'renew' | 'state' | 'figures' | 'close'> {
  /** On the connection that listens: of a cluster it leads to a server that is there. */
  readonly publish: KeyValue['publish']
  readonly subscribe: KeyValue['subscribe']
}

export function openRedisMessages(options: RedisOptions, log: Log): RedisMessages {
  const { prefix, timeout } = options
  const channels = createChannels(log)
  const watching = new Set<(connected: boolean) => void>()
  const wanted = new Set<string>()
  let current: RedisListening | undefined
  let closed = false

  const listen = (connection: RedisListening, channel: string): Promise<void> =>
    connection.subscribe(prefix + channel, (message) => channels.publish(channel, message))
  const link = openRedisLink<RedisListening>({
    name: 'messages',
    dial: (turn) => dialForMessages(options, turn),
    async probe(connection) {
      // It counts once every channel is subscribed. All at once: a slow server has to answer within one timeout.
      await Promise.all([
        connection.send(undefined, ['PING']),
        ...Array.from(wanted, (name) => listen(connection, name)),
      ])
    },
    onUp(connection) {
      current = connection
      for (const tell of watching) tell(true)
    },
    onDown() {
      current = undefined
      for (const tell of watching) tell(false)
    },
    timeout,
    // Silence here means that logouts are missed: one heartbeat without an answer is enough.
    timeoutsToGiveUp: 1,
    log,
  })

  return {
    tried: link.tried,
    renew: link.renew,
    state: link.state,
    figures: link.figures,
    async publish(channel, message) {
      await link.run(undefined, ['PUBLISH', prefix + channel, message])
    },
    async subscribe(channel, listener, onConnected) {
      if (closed) throw new GatewayError('store_unreachable', 'redis: closed')
      const stop = channels.subscribe(channel, listener)
      if (onConnected !== undefined) watching.add(onConnected)
      const isNew = !wanted.has(channel)
      wanted.add(channel)
      if (current === undefined) onConnected?.(false)
      // A channel that cannot be had is a connection that cannot: the next one subscribes to all of them.
      else if (isNew) await listen(current, channel).catch((error: unknown) => link.renew(String(error)))
      return () => {
        stop()
        if (onConnected !== undefined) watching.delete(onConnected)
      }
    },
    close() {
      closed = true
      link.close()
      channels.clear()
      watching.clear()
    },
  }
}
