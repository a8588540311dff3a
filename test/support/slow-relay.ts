import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A relay in front of a server that is well: it makes of it one that is slow, or that stops in the middle of an answer. */
export interface SlowRelay {
  readonly port: number
  /** Milliseconds that every answer takes longer from now on. What was held back by a stall goes on its way. */
  delay(milliseconds: number): void
  /** The next answer stops after its first bytes, and nothing follows it until `delay` is called. */
  stall(): void
}

interface Piece {
  readonly bytes: Buffer
  readonly due: number
}

export async function startSlowRelay(t: TestContext, port: number): Promise<SlowRelay> {
  const sockets = new Set<Socket>()
  const pumps = new Set<() => void>()
  let wait = 0
  let stalled: 'no' | 'next' | 'now' = 'no'

  const relay = (client: Socket): void => {
    const server = connect(port, '127.0.0.1')
    const pieces: Piece[] = []
    let timer: NodeJS.Timeout | undefined
    const write = (bytes: Buffer): void => {
      if (stalled === 'next' && bytes.length > 2) {
        stalled = 'now'
        const half = bytes.length >> 1
        client.write(bytes.subarray(0, half))
        pieces.unshift({ bytes: bytes.subarray(half), due: 0 })
      } else client.write(bytes)
    }
    const pump = (): void => {
      clearTimeout(timer)
      while (stalled !== 'now' && pieces.length > 0 && pieces[0]!.due <= performance.now()) write(pieces.shift()!.bytes)
      if (stalled !== 'now' && pieces.length > 0) timer = setTimeout(pump, pieces[0]!.due - performance.now())
    }
    server.on('data', (bytes) => {
      pieces.push({ bytes, due: performance.now() + wait })
      pump()
    })
    client.pipe(server)
    pumps.add(pump)
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        clearTimeout(timer)
        pumps.delete(pump)
        sockets.delete(one)
        other.destroy()
      })
    }
  }

  const listener = createServer(relay).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => {
    listener.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    delay(milliseconds) {
      wait = milliseconds
      stalled = 'no'
      for (const pump of pumps) pump()
    },
    stall() {
      stalled = 'next'
    },
  }
}
