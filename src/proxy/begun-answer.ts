/** What is still done to an answer whose head is out. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Written so that the head goes out in latin1, as it came; `flushHeaders` would write it as UTF-8. */
const nothing = Buffer.alloc(0)

/** Sends a head whose body comes later; it finds nothing to do where both came together. */
export function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.write(nothing)
}

/** Ends an answer that cannot be completed. To HTTP/1.0 the end of the connection is a clean end: hence a reset. */
export function cutOff(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMinor === 0) request.socket.resetAndDestroy()
  else response.destroy()
}
