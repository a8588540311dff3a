import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StaticResponse } from '../config/config.ts'
import { abandonBody } from './request-body.ts'
import { pushCors } from './response-headers.ts'

/** Answers a `respond:` route. HEAD gets the headers alone, with the length GET would have. @param cors as of `ResponseHeaderRules` */
export function respondStatic(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: StaticResponse,
  setCookies: readonly string[] = [],
  cors: Readonly<Record<string, string>> = {},
): void {
  abandonBody(request)
  const raw = Object.entries(headers)
    .filter(([name]) => !Object.hasOwn(cors, name.toLowerCase()))
    .flat()
  const [, vary] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'vary') ?? []
  pushCors(raw, cors, vary)
  const bodiless = status === 204 || status === 304
  if (!bodiless) raw.push('Content-Length', String(Buffer.byteLength(body)))
  for (const cookie of setCookies) raw.push('Set-Cookie', cookie)
  if (setCookies.length > 0) raw.push('Cache-Control', 'no-store')
  response.writeHead(status, raw)
  response.end(bodiless || request.method === 'HEAD' ? undefined : body)
}
