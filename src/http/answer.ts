import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { framingProblem } from '../proxy/request-framing.ts'
import { answerUpgrade } from '../proxy/upgrade-answer.ts'

/** A complete answer of our own, before anybody has decided how it travels. */
export interface Answer {
  readonly status: number
  /** Lower-case names. Several Set-Cookie lines are an array. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string
}

export const json = (status: number, value: unknown, headers: Answer['headers'] = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(value),
})

/** Every redirect of ours: 302 or 303 (never 307, which would send a form again: RFC 9700 4.12), never stored. */
export const redirect = (location: string, headers: Answer['headers'] = {}, status: 302 | 303 = 302): Answer => ({
  status,
  headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', ...headers },
  body: '',
})

export const withHeaders = (answer: Answer, headers: Answer['headers']): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
})

/** Where the length of a request is in doubt, so is what comes next on its connection (RFC 9112 6.3). */
export const closingIfUnclear = (answer: Answer, request: IncomingMessage): Answer =>
  framingProblem(request) === undefined ? answer : withHeaders(answer, { connection: 'close' })

export function sendAnswer(response: ServerResponse, answer: Answer, isHead = false): void {
  const headers = flatHeaders(answer)
  // RFC 9110 8.6: a 204 has no length.
  if (answer.status !== 204) headers.push('content-length', String(Buffer.byteLength(answer.body)))
  response.writeHead(answer.status, headers)
  response.end(isHead ? undefined : answer.body)
}

/** After an `upgrade` event there is no ServerResponse to write for us. */
export function sendAnswerOnSocket(socket: Duplex, answer: Answer): void {
  answerUpgrade(socket, answer.status, flatHeaders(answer), answer.body)
}

function flatHeaders({ headers }: Answer): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [name, value] : value.flatMap((one) => [name, one]),
  )
}
