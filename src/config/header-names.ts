import { foldHeaderName } from '../core/header-name.ts'
import type { KeyPath, Problems } from './problems.ts'
import { quoted, Refused } from './refused.ts'
import { keysOf, valueAt } from './tree.ts'

/** RFC 9110 5.1. */
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/
/** Framing, routing and what the gateway itself sets: never from the file. */
const reserved =
  /^(?:host|cookie|set-cookie|connection|keep-alive|proxy-connection|proxy-authorization|proxy-authenticate|te|trailer|transfer-encoding|content-length|upgrade|expect|forwarded|x-forwarded-(?:for|host|proto|port|prefix|uri|method)|x-real-ip)$/i

/** Checks the keys of a map of headers as written. Two names a server could read as one are refused. */
export function checkHeaderNames(content: unknown, path: KeyPath, problems: Problems): void {
  const seen = new Map<string, string>()
  for (const name of keysOf(valueAt(content, path))) {
    const wrong = wrongName(name, seen.get(foldHeaderName(name)))
    seen.set(foldHeaderName(name), name)
    if (wrong !== undefined) problems.add([...path, name], wrong.reason, wrong.hint)
  }
}

/** Why a token cannot come in a header of this name; undefined where it can. */
export function wrongTokenHeader(name: string): Refused | undefined {
  if (/^authorization$/i.test(name)) return new Refused('is where API clients put tokens', 'leave header out')
  return wrongName(name, undefined)
}

function wrongName(name: string, twin: string | undefined): Refused | undefined {
  if (!headerName.test(name))
    return new Refused(`${quoted(name)} is not a header name`, 'use letters, digits and dashes')
  if (foldHeaderName(name).startsWith('impersonate-'))
    return new Refused('is not written by hand', 'use impersonate: { user: ... } on the route')
  if (reserved.test(foldHeaderName(name))) return new Refused('is set by the gateway itself', 'choose another name')
  return twin === undefined ? undefined : new Refused(`is the same header as ${twin}`, 'keep one of the two')
}
