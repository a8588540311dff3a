import { z } from 'zod'
import { choice, reasonAndHint, text } from './schema-values.ts'
import { parseTemplate } from './templates.ts'

export const identityHeadersChoice = () => choice(['default', 'oauth2-proxy', 'authelia', 'authentik', 'none'])

/** Request headers by name; names are checked by `checkHeaderNames`. */
export const headersSchema = z.record(z.string(), text(parseTemplate))

export const responseHeadersSchema = z.record(
  z.string(),
  z
    .string()
    .regex(/^[\x20-\x7e]*$/, { error: reasonAndHint('holds characters no header may hold', 'use visible ASCII') }),
)
