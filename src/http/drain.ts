import { once } from 'node:events'
import type { Server } from 'node:http'

/** Milliseconds between two looks for connections that fell idle. */
const interval = 50

/**
 * Stops accepting, lets running requests finish, then closes what is left. Node closes idle connections when asked
 * to close, but not those that fall idle afterwards.
 *
 * @param patience milliseconds for running requests
 */
export async function drain(server: Server, patience: number): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  const idle = setInterval(() => server.closeIdleConnections(), interval)
  const deadline = setTimeout(() => server.closeAllConnections(), patience)
  await closed
  clearInterval(idle)
  clearTimeout(deadline)
}
