/** One question to an upstream, over the connection that requests of people take: its CA, client certificate, socket. */
import { readFileSync } from 'node:fs'
import { Agent, type Dispatcher, request } from 'undici'
import type { UpstreamConfig } from '../../config/config.ts'
import { connectorOf } from '../../proxy/upstreams.ts'

export interface UpstreamQuestion {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  /** A list is sent as several lines. */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

export interface UpstreamAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

const patience = 5000
const mostText = 64 * 1024

/** @throws whatever the system, TLS or HTTP has to say; an AbortError after five seconds */
export async function askUpstream(
  upstream: UpstreamConfig,
  { method = 'GET', path, headers, body }: UpstreamQuestion,
  signal: AbortSignal,
): Promise<UpstreamAnswer> {
  const agent = new Agent({ connect: connectorOf(upstream, readFileSync), allowH2: false })
  try {
    const answer = await request(new URL(path, upstream.url.origin), {
      dispatcher: agent,
      method,
      headers,
      ...(body !== undefined && { body }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    })
    const { location } = answer.headers
    return {
      status: answer.statusCode,
      location: typeof location === 'string' ? location : undefined,
      text: await firstOf(answer.body),
    }
  } finally {
    await agent.destroy()
  }
}

/** The beginning is enough; an endless stream of events must not hold the doctor. */
async function firstOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  let text = ''
  try {
    for await (const chunk of body) {
      text += Buffer.from(chunk).toString('latin1')
      if (text.length > mostText) break
    }
  } catch {
    // What came so far is what there is.
  }
  return text
}

/** Where an upstream is, in the words of the file. */
export const upstreamPlace = ({ url, socketPath }: UpstreamConfig): string =>
  socketPath === undefined ? url.origin : `unix:${socketPath}`
