import type { Duplex } from 'node:stream'
import { endSoon } from './upgrade-answer.ts'
import { closeFrame, createFrameFollower } from './websocket-frames.ts'

/** Milliseconds a close waits for the end of the frame that the upstream is sending. */
const frameEnd = 1_000

export interface TunnelPipes {
  close(code: number): void
}

/**
 * Joins two connections with back-pressure both ways. An end is passed on as an end, so that a half-closed
 * protocol works; a connection that dies takes the other one with it.
 *
 * @param early bytes of the client that came before there was an upstream to take them
 */
export function openTunnelPipes(
  client: Duplex,
  upstream: Duplex,
  early: readonly Buffer[],
  websocket: boolean,
): TunnelPipes {
  const follower = createFrameFollower()
  let closing: number | undefined

  function toClient(chunk: Buffer): boolean {
    if (!websocket) return client.write(chunk)
    let end = follower.next(chunk, 0)
    if (closing !== undefined && end !== -1) {
      client.write(chunk.subarray(0, end))
      sendClose(closing)
      return true
    }
    while (end !== -1) end = follower.next(chunk, end)
    return client.write(chunk)
  }

  function sendClose(code: number): void {
    upstream.removeAllListeners('data').destroy()
    client.removeAllListeners('data').write(closeFrame(code))
    endSoon(client)
  }

  function cut(): void {
    upstream.destroy()
    client.destroy()
  }

  /** The frame that is on its way may never end. */
  function cutUnlessClosed(): void {
    const timer = setTimeout(cut, frameEnd).unref()
    client.once('close', () => clearTimeout(timer))
  }

  function close(code: number): void {
    if (closing !== undefined || client.destroyed) return
    closing = code
    if (!websocket) cut()
    else if (follower.atBoundary) sendClose(code)
    else cutUnlessClosed()
  }

  upstream.on('error', () => upstream.destroy())
  for (const chunk of early) upstream.write(chunk)
  pump(client, upstream, (chunk) => upstream.write(chunk))
  pump(upstream, client, toClient)
  return { close }
}

/** @param write hands a chunk on; false where the other side wants a pause */
function pump(from: Duplex, to: Duplex, write: (chunk: Buffer) => boolean): void {
  from.on('data', (chunk: Buffer) => {
    if (!write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
  from.on('close', () => {
    if (from.readableEnded) endSoon(to)
    else to.destroy()
  })
  from.resume()
}
