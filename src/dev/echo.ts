import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** A websocket that says everything back. */
export interface Echo {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): void
}

/** @throws Error where `ws` (a development dependency) is not installed */
export async function createEcho(): Promise<Echo> {
  const { WebSocketServer } = await loadWs()
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 })
  return {
    accept(request, socket, head) {
      sockets.handleUpgrade(request, socket, head, (peer) => {
        peer.on('error', () => peer.terminate())
        peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
      })
    },
    close() {
      for (const peer of sockets.clients) peer.terminate()
      sockets.close()
    },
  }
}

async function loadWs() {
  try {
    return await import('ws')
  } catch (cause) {
    throw new Error('the demo needs a checkout of the repository: its application is not part of the package', {
      cause,
    })
  }
}
