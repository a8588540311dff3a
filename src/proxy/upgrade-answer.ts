import http from 'node:http'
import type { Duplex } from 'node:stream'

/** Milliseconds a client may take to close after the last byte was written to it. */
const lingering = 2_000

/**
 * Writes the head of an answer by hand: after `upgrade` there is no ServerResponse to do it.
 *
 * @param headers name, value, name, value, …
 * @throws TypeError where a header could break out of its line
 */
export function writeHead(socket: Duplex, status: number, headers: readonly string[]): void {
  let head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    http.validateHeaderName(name)
    http.validateHeaderValue(name, value)
    head += `${name}: ${value}\r\n`
  }
  socket.write(`${head}\r\n`, 'latin1')
}

/** Answers an upgrade request that is refused, with a body of ours, and closes. */
export function answerUpgrade(socket: Duplex, status: number, headers: readonly string[], body = ''): void {
  socket.on('error', () => {})
  writeHead(socket, status, [...headers, 'Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'])
  if (body !== '') socket.write(body)
  endSoon(socket)
}

/** Ends our side, reads the rest so that the end arrives, and closes for good if the other side does not. */
export function endSoon(socket: Duplex): void {
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), lingering).unref()
  socket.once('close', () => clearTimeout(timer))
  socket.end()
  socket.resume()
}
