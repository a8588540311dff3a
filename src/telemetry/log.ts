import pino from 'pino'
import { type Clock, systemClock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { isoTime } from './iso-time.ts'
import { escapeControls, scrub } from './scrub.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
}

export interface LoggerParts {
  readonly destination: { write(line: string): void }
  readonly clock?: Clock
}

/** Fields that never belong in a log, wherever somebody puts them. `Secret` values print `[secret]` by themselves. */
const forbidden = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'idToken',
  'id_token',
  'token',
  'tokens',
  'clientSecret',
  'client_secret',
  'codeVerifier',
  'code_verifier',
  'password',
  'secret',
]

/** JSON lines with ISO time. Errors go under `err`: message, code, stack and causes, never their other members. */
export function createLogger({ level }: LogOptions, { destination, clock = systemClock }: LoggerParts): Log {
  const timeOf = isoTime()
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${timeOf(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error) => describeError(error), error: (error) => describeError(error) },
      redact: {
        paths: forbidden.flatMap((name) => ['', '*', '*.*'].map((at) => `${at}["${name}"]`)),
        censor: '[redacted]',
      },
      hooks: { streamWrite: (line) => escapeControls(scrub(line)) },
    },
    destination,
  )
}

const mostCauses = 4

/**
 * By allow-list: errors of HTTP and OAuth libraries carry whole answers, bodies with tokens included. A planned failure
 * has no stack, nor have its causes: it tells of somebody else's trouble, not of a place in this program.
 */
export function describeError(error: unknown, depth = 0, isPlanned = error instanceof GatewayError): unknown {
  if (!(error instanceof Error)) return typeof error === 'object' ? '[not an error]' : error
  const { name, message, stack, cause } = error
  const problems = problemsOf(error)
  if (problems !== undefined) return { type: name, message: message.split('\n', 1)[0], problems }
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined
  return {
    type: name,
    message,
    ...(code !== undefined && { code }),
    ...(!isPlanned && { stack }),
    ...(cause instanceof Error && depth < mostCauses && { cause: describeError(cause, depth + 1, isPlanned) }),
  }
}

/**
 * A planned failure that lists what is wrong (a refused config file): its list, each as one line. No stack, which
 * would say nothing, and not its message, which says the list again. Undefined for every other error.
 */
function problemsOf(error: Error): readonly string[] | undefined {
  if (!('problems' in error) || !Array.isArray(error.problems)) return undefined
  const lines = error.problems.map(problemLine).filter((line) => line !== undefined)
  return lines.length > 0 && lines.length === error.problems.length ? lines : undefined
}

function problemLine(problem: unknown): string | undefined {
  if (typeof problem === 'string') return problem
  if (typeof problem !== 'object' || problem === null || !('message' in problem)) return undefined
  const { message } = problem
  if (typeof message !== 'string') return undefined
  const line = 'line' in problem && typeof problem.line === 'number' ? `line ${problem.line}` : ''
  const path = 'path' in problem && typeof problem.path === 'string' ? problem.path : ''
  const hint = 'hint' in problem && typeof problem.hint === 'string' && problem.hint !== '' ? ` (${problem.hint})` : ''
  return `${[line, path, message].filter((part) => part !== '').join(': ')}${hint}`
}
