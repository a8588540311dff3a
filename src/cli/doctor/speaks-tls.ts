import { connect } from 'node:tls'

/** Host and port, or the path of a unix socket. */
export type Listener = { readonly host: string; readonly port: number } | { readonly path: string }

/** Milliseconds. */
const patience = 2000

/** Whether TLS is what is spoken there; a server that wants our certificate first speaks it too. Never throws. */
export function speaksTls(listener: Listener): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...listener, rejectUnauthorized: false, timeout: patience })
    const end = (speaks: boolean) => {
      socket.destroy()
      resolve(speaks)
    }
    socket.once('secureConnect', () => end(true))
    socket.once('error', (error) => end('code' in error && /CERTIFICATE_REQUIRED|HANDSHAKE/.test(String(error.code))))
    socket.once('timeout', () => end(false))
  })
}
