import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on a free loopback port and tells the parent process which. */
export function announce(server: Server): void {
  server.keepAliveTimeout = 75_000
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.send?.({ url: `http://127.0.0.1:${port}` })
  })
}

export function upstreamUrl(): string {
  const url = process.env.BENCH_UPSTREAM
  if (url === undefined) throw new Error('BENCH_UPSTREAM is not set')
  return url
}
