/** Our answers as Envoy takes them: yes with changes to the headers, or no with a whole response. */
import type { Answer } from '../answer.ts'
import type { CheckResponse, HeaderValueOption } from './messages.ts'
import type { UpstreamChanges } from './upstream-changes.ts'

/** google.rpc.Code; Envoy looks only whether it is 0, people who read its logs may look further. */
const codes = { ok: 0, permissionDenied: 7, unavailable: 14, unauthenticated: 16 } as const

/** @param setCookies for the client, on the answer of the upstream */
export function allowed({ set, remove }: UpstreamChanges, setCookies: readonly string[]): CheckResponse {
  return {
    status: { code: codes.ok },
    ok_response: {
      headers: set.map(([name, value]) => overwrite(name, value)),
      headers_to_remove: remove,
      response_headers_to_add: setCookies.map((cookie) => append('set-cookie', cookie)),
    },
  }
}

/** A failure of ours is `denied` too, never `error_response`: that is a yes where a gateway says failure_mode_allow. */
export function denied({ status, headers, body }: Answer, isHead: boolean): CheckResponse {
  return {
    status: { code: codeOf(status) },
    denied_response: {
      status: { code: status },
      headers: Object.entries(headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [overwrite(name, value)] : value.map((one) => append(name, one)),
      ),
      body: isHead ? '' : body,
    },
  }
}

function codeOf(status: number): number {
  if (status >= 500) return codes.unavailable
  return status === 403 ? codes.permissionDenied : codes.unauthenticated
}

const overwrite = (name: string, value: string): HeaderValueOption => ({
  header: { key: name, value: utf8(value) },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
})

const append = (name: string, value: string): HeaderValueOption => ({
  header: { key: name, value: utf8(value) },
  append_action: 'APPEND_IF_EXISTS_OR_ADD',
})

/** Header values are bytes as latin1 with us, and text with Envoy. */
const utf8 = (value: string): string => Buffer.from(value, 'latin1').toString('utf8')
