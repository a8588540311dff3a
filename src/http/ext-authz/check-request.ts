/** Reads what a gateway tells of a request. Whatever two readers could take in two ways is refused, as on the wire. */
import type { IncomingHttpHeaders } from 'node:http'
import { GatewayError } from '../../core/errors.ts'
import type { Question, RequestHead } from '../request-reading.ts'
import type { CheckRequest, HttpAttributes } from './messages.ts'

/** Name in lower case, and value. Values are bytes as latin1, as Node has them everywhere. */
export type HeaderLine = readonly [name: string, value: string]

/** A request that a gateway asks about. */
export interface Checked {
  readonly head: RequestHead
  readonly question: Omit<Question, 'scheme'>
  /** Every header the gateway told of, pseudo headers left out. */
  readonly headers: readonly HeaderLine[]
}

/** As on our own listeners: names and values of a thousand headers, where Node's limit is. */
const mostHeaders = 1_000
/** RFC 9110 5.6.2. */
const token = /^[!#$%&'*+\-.^`|~\w]+$/
const lineBreaker = /[\0\r\n]/

/**
 * @param peer address of the gateway, which is trusted
 * @param mostBytes of names and values, `limits.headerBytes`
 * @throws GatewayError `forwarded_headers_missing` where a part is missing or said in two ways, `bad_request`
 */
export function readCheck({ attributes }: CheckRequest, peer: string, mostBytes: number): Checked {
  const http = attributes?.request?.http
  if (http === undefined) throw missing('an HTTP request')
  const lines = linesOf(http, mostBytes)
  const method = onlyOne('method', http.method, valuesOf(lines, ':method'))
  const uri = onlyOne('path', http.path, valuesOf(lines, ':path'))
  const host = onlyOne('host', http.host, [...valuesOf(lines, ':authority'), ...valuesOf(lines, 'host')])
  const headers = lines.filter(([name]) => !name.startsWith(':'))
  // The gateway saw who connected to it; X-Forwarded-For is walked on from there, so that it counts only where that
  // one is trusted too.
  const remoteAddress = attributes?.source?.address?.socket_address?.address || peer
  return {
    head: { method, url: uri, headers: joined(headers), socket: { remoteAddress } },
    question: { method, host, uri },
    headers,
  }
}

const missing = (what: string) => new GatewayError('forwarded_headers_missing', `the gateway did not tell ${what}`)

/** What is said in several places has to be the same in all of them, and once in each. */
function onlyOne(what: string, attribute: string | undefined, others: readonly string[]): string {
  if (attribute === undefined || attribute === '') throw missing(`the ${what} of the request`)
  if (others.some((other) => other !== attribute)) {
    throw new GatewayError('forwarded_headers_missing', `the gateway told the ${what} of the request in two ways`)
  }
  return attribute
}

const valuesOf = (lines: readonly HeaderLine[], wanted: string): string[] =>
  lines.filter(([name]) => name === wanted).map(([, value]) => value)

function linesOf({ headers = [], header_map: raw }: HttpAttributes, mostBytes: number): HeaderLine[] {
  const rawHeaders = raw?.headers ?? []
  if (headers.length > 0 && rawHeaders.length > 0) throw missing('one list of headers, but two')
  if (headers.length + rawHeaders.length >= mostHeaders) throw bad('a thousand headers or more')
  let bytes = 0
  const lines = [...headers, ...rawHeaders].map((header): HeaderLine => {
    const line: HeaderLine = [(header.key ?? '').toLowerCase(), textOf(header)]
    bytes += line[0].length + line[1].length
    refuseUnclear(line)
    return line
  })
  if (bytes > mostBytes) throw bad(`headers of ${bytes} bytes`)
  const names = new Set(lines.map(([name]) => name))
  // A map has each name once: a gateway that joins lines sends no second one.
  if (headers.length > 0 && names.size < lines.length) throw bad('a header that comes twice in a map')
  for (const name of unrepeatable) if (valuesOf(lines, name).length > 1) throw bad(`${name} comes twice`)
  return lines
}

/** Of which one reader takes the first and another the last (RFC 9112 3.2). */
const unrepeatable = [':method', ':path', ':authority', 'host', 'authorization']

const bad = (detail: string) => new GatewayError('bad_request', detail)

function textOf({ value = '', raw_value: raw }: { value?: string; raw_value?: Buffer }): string {
  if (raw === undefined || raw.length === 0) return Buffer.from(value, 'utf8').toString('latin1')
  if (value !== '') throw bad('a header with two values')
  return raw.toString('latin1')
}

const pseudo = new Set([':method', ':path', ':authority', ':scheme', ':protocol'])

function refuseUnclear([name, value]: HeaderLine): void {
  if (!pseudo.has(name) && !token.test(name)) throw bad('a header whose name is not a token')
  if (lineBreaker.test(value)) throw bad(`a line break in ${name}`)
}

/** One value a name, as Node has it: cookies by a semicolon (RFC 9113 8.2.3), everything else by a comma. */
function joined(lines: readonly HeaderLine[]): IncomingHttpHeaders {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of lines) {
    const before = headers[name]
    headers[name] = before === undefined ? value : before + (name === 'cookie' ? '; ' : ', ') + value
  }
  return headers
}
