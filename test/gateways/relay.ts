import { once } from 'node:events'
import net from 'node:net'

/** A wire that can be cut: what a gateway sees when Doorward is away, or does not answer. */
export interface Relay {
  readonly port: number
  /** Nobody listens: connections are refused. */
  cut(): Promise<void>
  /** Connections are taken and nothing is ever answered. */
  hang(): void
  /** All is well from now on; to another Doorward, if one is given. */
  mend(target?: number): Promise<void>
  close(): Promise<void>
}

export async function openRelay(first: number): Promise<Relay> {
  const sockets = new Set<net.Socket>()
  let target = first
  let hangs = false
  const keep = (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }
  const server = net.createServer((socket) => {
    keep(socket)
    if (hangs) return
    const onward = net.connect(target, '127.0.0.1')
    keep(onward)
    socket.pipe(onward).pipe(socket)
    socket.on('close', () => onward.destroy())
    onward.on('close', () => socket.destroy())
  })
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const listen = (port: number) => once(server.listen(port, '127.0.0.1'), 'listening')
  await listen(0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the relay has no port')
  const { port } = address
  const relay: Relay = {
    port,
    async cut() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      drop()
      await closed
    },
    hang() {
      hangs = true
      drop()
    },
    async mend(other = target) {
      target = other
      hangs = false
      drop()
      if (!server.listening) await listen(port)
    },
    async close() {
      await relay.cut()
    },
  }
  return relay
}
