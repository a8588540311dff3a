import { z } from 'zod'
import { quoted, Refused } from './refused.ts'
import { choice, reasonAndHint, text } from './schema-values.ts'
import { parseTemplate } from './templates.ts'

export const identityHeadersChoice = () => choice(['default', 'oauth2-proxy', 'authelia', 'authentik', 'none'])

/** RFC 9110 5.1. */
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/
/** Framing, routing and what the gateway itself sets: never from a template. */
const reserved =
  /^(?:host|cookie|set-cookie|connection|keep-alive|proxy-connection|proxy-authorization|proxy-authenticate|te|trailer|transfer-encoding|content-length|upgrade|expect|forwarded|x-forwarded-(?:for|host|proto|port|prefix|uri|method)|x-real-ip)$/i

const checkName = (name: string): Refused | undefined => {
  if (!headerName.test(name))
    return new Refused(`${quoted(name)} is not a header name`, 'use letters, digits and dashes')
  if (reserved.test(name)) return new Refused(`${name} is set by the gateway itself`, 'choose another name')
  return undefined
}

/** Request headers by name. Two names an upstream could read as one (`X-A`, `x_a`) are refused. */
export const headersSchema = z.record(z.string(), text(parseTemplate)).superRefine((headers, context) => {
  const seen = new Map<string, string>()
  for (const name of Object.keys(headers)) {
    const wrong = checkName(name)
    const twin = seen.get(foldName(name))
    seen.set(foldName(name), name)
    if (wrong !== undefined) report(context, name, wrong)
    else if (twin !== undefined)
      report(context, name, new Refused(`is the same header as ${twin}`, 'keep one of the two'))
  }
})

export const responseHeadersSchema = z
  .record(
    z.string(),
    z
      .string()
      .regex(/^[\x20-\x7e]*$/, { error: reasonAndHint('holds characters no header may hold', 'use visible ASCII') }),
  )
  .superRefine((headers, context) => {
    for (const name of Object.keys(headers)) {
      const wrong = checkName(name)
      if (wrong !== undefined) report(context, name, wrong)
    }
  })

const report = (context: z.core.$RefinementCtx, name: string, { reason, hint }: Refused) =>
  context.addIssue({ code: 'custom', path: [name], message: reasonAndHint(reason, hint) })

/** How careless servers compare names: without case, `_` as `-`. */
export const foldName = (name: string): string => name.toLowerCase().replaceAll('_', '-')
