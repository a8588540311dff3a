/** One line per request, joined by hand: it is written on the hot path, where pino's general care costs too much. */
import type { Clock } from '../core/clock.ts'
import { isoTime } from './iso-time.ts'
import { escapeControls } from './scrub.ts'

export interface AccessEntry {
  /** Which front door answered; `own`: our pages. */
  readonly front: 'proxy' | 'forward-auth' | 'ext-authz' | 'own'
  readonly requestId: string
  readonly method: string
  readonly host: string
  /** A query is cut off: it may hold codes and tokens. */
  readonly path: string
  readonly status: number
  /** Milliseconds from the request's headers to the answer's end. */
  readonly latency: number
  /** From `clientAddress`. */
  readonly address: string
  /** Name of the route. */
  readonly route: string | undefined
  readonly verdict: string | undefined
  readonly reason: string | undefined
  /** The subject; never a name or an e-mail address. */
  readonly user: string | undefined
}

export type AccessLog = (entry: AccessEntry) => void

const longestPath = 1024

export function createAccessLog(
  { access }: { readonly access: boolean },
  destination: { write(line: string): void },
  clock: Clock,
): AccessLog {
  if (!access) return () => undefined
  const timeOf = isoTime()
  return (entry) => {
    let line =
      `{"level":"info","time":"${timeOf(clock.now())}","msg":"access","front":"${entry.front}",` +
      `"requestId":${quote(entry.requestId)},"method":${quote(entry.method)},"host":${quote(entry.host)},` +
      `"path":${quote(withoutQuery(entry.path))},"status":${Math.trunc(entry.status)},"ms":${milliseconds(entry.latency)},` +
      `"client":${quote(entry.address)}`
    if (entry.route !== undefined) line += `,"route":${quote(entry.route)}`
    if (entry.verdict !== undefined) line += `,"verdict":${quote(entry.verdict)}`
    if (entry.reason !== undefined) line += `,"reason":${quote(entry.reason)}`
    if (entry.user !== undefined) line += `,"user":${quote(entry.user)}`
    destination.write(`${line}}\n`)
  }
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

const quote = (text: string): string => (plain.test(text) ? `"${text}"` : escapeControls(JSON.stringify(text)))

function withoutQuery(path: string): string {
  const end = path.search(/[?#]/)
  const bare = end === -1 ? path : path.slice(0, end)
  return bare.length > longestPath ? `${bare.slice(0, longestPath)}…` : bare
}

/** A clock that jumped gives 0, not a line that is no JSON. */
const milliseconds = (latency: number): number => (latency >= 0 ? Math.round(latency * 1000) / 1000 : 0)
