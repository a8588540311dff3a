/** What GitHub's answers mean: it says "no" with a 200, and "later" with a 403. */
import { isJsonObject, parseStrictJson } from '../../core/strict-json.ts'
import { LoginFailure, printable } from '../failure.ts'

/** The JSON of an answer; undefined where it is none. */
export async function readJson(response: Response): Promise<unknown> {
  try {
    return parseStrictJson(await response.text())
  } catch {
    return undefined
  }
}

/**
 * The answers that say nothing about the person or about us: GitHub is in trouble, or we asked too often. Undefined
 * for all others.
 */
export function passingTrouble(response: Response, body: unknown): LoginFailure | undefined {
  const { status, headers } = response
  if (status >= 500) return new LoginFailure('unreachable', 'http_5xx', `GitHub answered ${status}`)
  const isLimited =
    status === 429 ||
    (status === 403 &&
      (headers.has('retry-after') ||
        headers.get('x-ratelimit-remaining') === '0' ||
        // The secondary limits come without a header that names them.
        /rate limit/i.test(messageOf(body))))
  if (!isLimited) return undefined
  const until = headers.get('retry-after') ?? headers.get('x-ratelimit-reset') ?? 'unknown'
  return new LoginFailure('unreachable', 'rate_limited', `GitHub's rate limit is used up (until: ${printable(until)})`)
}

/** The sentence GitHub puts into an error, for the log. */
export function messageOf(body: unknown): string {
  return isJsonObject(body) && typeof body.message === 'string' ? printable(body.message) : ''
}
