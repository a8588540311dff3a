/** Requests written byte for byte, since every client library repairs what an attacker would not. */
import net from 'node:net'
import tls from 'node:tls'

export type HeaderLine = readonly [name: string, value: string]

export interface RawAnswer {
  readonly status: number
  readonly headers: readonly HeaderLine[]
  readonly body: string
  /** The first value of a header. */
  header(name: string): string | undefined
  all(name: string): readonly string[]
}

export interface Exchange {
  /** Final answers in order. */
  readonly answers: readonly RawAnswer[]
  /** Everything that came back. */
  readonly text: string
  /** `open`: the gateway still held the connection when the patience was over. */
  readonly ended: 'open' | 'closed' | 'reset'
}

export interface SendOptions {
  /** Address the connection comes from: any of 127.0.0.0/8, 127.0.0.1 unless given. */
  readonly from?: string
  /** Milliseconds to wait for the end of the connection. */
  readonly patience?: number
  /** Stop waiting at this many answers. */
  readonly answers?: number
  /** Over TLS, to the server of this name, with whatever certificate it has. */
  readonly servername?: string
}

/** Where a connection goes, and comes from unless told. */
const usual = '127.0.0.1'

/** Text goes out as UTF-8; bytes above 0x7f that must stay as they are come as a Buffer. */
export function send(port: number, bytes: string | Buffer, options: SendOptions = {}): Promise<Exchange> {
  const { from = usual, patience = 1500, answers: enough = Number.POSITIVE_INFINITY } = options
  const isHead = String(bytes).startsWith('HEAD ')
  return new Promise((resolve) => {
    const where = { port, host: usual, ...(from !== usual && { localAddress: from }) }
    const { servername } = options
    const socket =
      servername === undefined ? net.connect(where) : tls.connect({ ...where, servername, rejectUnauthorized: false })
    let text = ''
    const finish = (ended: Exchange['ended'], answers = readAnswers(text, { isHead, isOver: true }).answers): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ answers, text, ended })
    }
    const timer = setTimeout(() => finish('open'), patience)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (enough === Number.POSITIVE_INFINITY) return
      const { answers, rest } = readAnswers(text, { isHead, isOver: false })
      if (answers.length >= enough) finish('open', rest === '' ? answers : undefined)
    })
    socket.on('error', () => finish('reset'))
    socket.on('close', () => finish('closed'))
    socket.on('end', () => finish('closed'))
    socket.write(bytes)
  })
}

export interface RawRequest {
  readonly method?: string
  readonly target: string
  readonly headers: readonly HeaderLine[]
  readonly body?: string
}

/** As bytes, to be read by a server that closes afterwards. */
export function bytesOf({ method = 'GET', target, headers, body = '' }: RawRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const close = headers.some(([name]) => name.toLowerCase() === 'connection') ? '' : 'Connection: close\r\n'
  return `${method} ${target} HTTP/1.1\r\n${lines}${close}\r\n${body}`
}

/** One request, one answer. @throws where none came: a hang, or a connection cut without a word */
export async function ask(
  port: number,
  request: RawRequest | string | Buffer,
  options: SendOptions = {},
): Promise<RawAnswer> {
  const bytes = typeof request === 'string' || Buffer.isBuffer(request) ? request : bytesOf(request)
  // A bound for hangs alone: an answer ends the wait, however busy the machine.
  const { answers, text, ended } = await send(port, bytes, { answers: 1, patience: 10_000, ...options })
  const [answer] = answers
  if (answer === undefined)
    throw new Error(`no answer (${ended}) to ${JSON.stringify(String(bytes))}: ${JSON.stringify(text)}`)
  return answer
}

interface Reading {
  readonly isHead: boolean
  /** Nothing more comes: the last body may end with the text. */
  readonly isOver: boolean
}

/** As many whole answers as there are, and what is left; 1xx are left out, except 101. */
function readAnswers(text: string, { isHead, isOver }: Reading): { answers: RawAnswer[]; rest: string } {
  const answers: RawAnswer[] = []
  let rest = text
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) break
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
    const headers = lines.map((line): HeaderLine => [line.split(':', 1)[0]!, line.slice(line.indexOf(':') + 1).trim()])
    const all = (name: string) => headers.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value)
    const framing = { status, length: all('content-length')[0], coding: all('transfer-encoding')[0] }
    const after = rest.slice(end + 4)
    const cut =
      (isHead ? { body: '', rest: after } : cutBody(after, framing)) ?? (isOver ? { body: after, rest: '' } : undefined)
    if (cut === undefined) break
    rest = cut.rest
    if (status < 200 && status !== 101) continue
    answers.push({ status, headers, body: cut.body, header: (name) => all(name)[0], all })
  }
  return { answers, rest }
}

interface Framing {
  readonly status: number
  readonly length: string | undefined
  readonly coding: string | undefined
}

function cutBody(rest: string, { status, length, coding }: Framing): { body: string; rest: string } | undefined {
  if (status < 200 || status === 204 || status === 304) return { body: '', rest }
  if (coding === 'chunked') return cutChunks(rest)
  if (length === undefined || rest.length < Number(length)) return undefined
  const bytes = Number(length)
  return { body: rest.slice(0, bytes), rest: rest.slice(bytes) }
}

function cutChunks(text: string): { body: string; rest: string } | undefined {
  let body = ''
  let at = 0
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    at = lineEnd + 2 + size + 2
    if (Number.isNaN(size) || text.length < at) return undefined
    if (size === 0) return { body, rest: text.slice(at) }
    body += text.slice(lineEnd + 2, at - 2)
  }
}
