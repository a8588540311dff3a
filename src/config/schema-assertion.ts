import { z } from 'zod'
import { Refused } from './refused.ts'
import { duration } from './schema-quantities.ts'
import { oneOrMore, secretRef, text } from './schema-values.ts'

const assertionHeader = () =>
  text((written) =>
    /^[A-Za-z][A-Za-z0-9-]{1,63}$/.test(written) && !/^(?:authorization|cookie|host)$/i.test(written)
      ? written
      : new Refused('is not a header name of its own', 'write X-Auth-Assertion'),
  )

export const assertionSchema = z.strictObject({
  header: assertionHeader()
    .prefault('X-Auth-Assertion')
    .meta({ description: 'Request header that carries it. Never believed from outside.' }),
  lifetime: duration({ least: 60_000, most: 300_000 })
    .prefault('2m')
    .meta({ description: 'How long one is good. It is made anew, for the same session, at half of that.' }),
  keys: oneOrMore(secretRef())
    .optional()
    .meta({
      description:
        'P-256 private keys in PEM. The first signs, the public halves of all are in `jwks.json`. ' +
        'Unset: keys are made from `session.secret`, a new one each day, the same on every replica.',
      examples: [{ file: '/run/secrets/assertion.pem' }],
    }),
})
