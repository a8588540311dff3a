import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StaticResponse } from '../config/config.ts'
import { abandonBody } from './request-body.ts'

/** Answers a `respond:` route. HEAD gets the headers alone, with the length GET would have. */
export function respondStatic(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: StaticResponse,
  setCookies: readonly string[] = [],
): void {
  abandonBody(request)
  const raw = Object.entries(headers).flat()
  const bodiless = status === 204 || status === 304
  if (!bodiless) raw.push('Content-Length', String(Buffer.byteLength(body)))
  for (const cookie of setCookies) raw.push('Set-Cookie', cookie)
  if (setCookies.length > 0) raw.push('Cache-Control', 'no-store')
  response.writeHead(status, raw)
  response.end(bodiless || request.method === 'HEAD' ? undefined : body)
}
