/** Owns requests as a stranger on the internet makes them: no cookie, no credential, nothing followed. */
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { checkServerIdentity, TLSSocket } from 'node:tls'
import { readVersion } from '../../telemetry/version.ts'

export interface OutsideAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** The first part of it, enough to know it by. */
  readonly body: string
  /** What the browser of a person would say of the certificate; undefined where it is fine, or there is none. */
  readonly certificateFault: string | undefined
}

export type OutsideHeaders = Readonly<Record<string, string>>

/** As a browser that opens a page in a new tab. */
export const navigation: OutsideHeaders = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
}

/** As a script of a page that fetches data. */
export const script: OutsideHeaders = {
  accept: 'application/json',
  'x-requested-with': 'XMLHttpRequest',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  'sec-fetch-site': 'same-origin',
}

/** As a page that opens a websocket (RFC 6455 4.1). */
export const websocketFrom = ({ origin }: URL): OutsideHeaders => ({
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': randomBytes(16).toString('base64'),
  'sec-fetch-mode': 'websocket',
  'sec-fetch-dest': 'empty',
  'sec-fetch-site': 'same-origin',
  origin,
})

const patience = 10_000
const mostBody = 64 * 1024

/**
 * A GET. The certificate is looked at and not insisted on: nothing secret is sent, and the people's browsers may know
 * an authority that this machine does not.
 */
export function askFromOutside(url: URL, headers: OutsideHeaders, signal: AbortSignal): Promise<OutsideAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OutsideAnswer>()
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    agent: false,
    rejectUnauthorized: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    headers: { 'user-agent': `doorward-doctor/${readVersion()}`, ...headers },
  })
  request.on('error', reject)
  request.on('upgrade', ({ headers }, socket) => {
    socket.destroy()
    resolve({ status: 101, headers, body: '', certificateFault: undefined })
  })
  request.on('response', (response) => {
    const certificateFault = faultOfCertificate(response, url)
    let body = ''
    const done = () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body, certificateFault })
      request.destroy()
    }
    response.setEncoding('latin1')
    response.on('data', (text: string) => {
      body += text
      if (body.length > mostBody) done()
    })
    response.on('end', done)
    response.on('error', reject)
  })
  request.end()
  return promise
}

/** An authority nobody knows here hides a wrong name from Node, so that is looked at by itself. */
function faultOfCertificate({ socket }: http.IncomingMessage, { hostname }: URL): string | undefined {
  if (!(socket instanceof TLSSocket) || socket.authorized) return undefined
  const error: unknown = socket.authorizationError
  const fault = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  if (/EXPIRED|NOT_YET_VALID/.test(fault)) return fault
  const isOther = checkServerIdentity(hostname, socket.getPeerCertificate()) !== undefined
  return isOther ? 'ERR_TLS_CERT_ALTNAME_INVALID' : fault
}

/** The Location of an answer as a whole address. */
export function locationOf({ headers }: OutsideAnswer, url: URL): URL | undefined {
  const { location } = headers
  return location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined
}
