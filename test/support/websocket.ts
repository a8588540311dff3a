import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'

export type WebSocketTry =
  | { readonly kind: 'open'; readonly socket: WebSocket; readonly closed: Promise<number> }
  | { readonly kind: 'refused'; readonly status: number }

/** Opens a websocket as a browser does, with cookie and origin; ends it with the test. */
export async function openWebSocket(
  t: TestContext,
  url: string,
  headers: Readonly<Record<string, string>> = {},
  protocols: readonly string[] = [],
): Promise<WebSocketTry> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], { headers })
  t.after(() => socket.terminate())
  const closed = new Promise<number>((resolve) => void socket.once('close', resolve))
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ kind: 'open', socket, closed }))
    socket.once('unexpected-response', (request, response) => {
      resolve({ kind: 'refused', status: response.statusCode ?? 0 })
      request.destroy()
    })
    socket.on('error', reject)
  })
}
