/** Keys about the process itself: looks, logging, limits. */
import { z } from 'zod'
import { quoted, Refused } from './refused.ts'
import { byteSize, duration } from './schema-quantities.ts'
import { choice, fileRef, plainText, text, yesOrNo } from './schema-values.ts'

/** Nothing but a colour can pass: it is written into a style sheet. */
const colourPattern =
  /^(?:#(?:[\da-f]{3}|[\da-f]{4}|[\da-f]{6}|[\da-f]{8})|[a-z]{3,24}|(?:rgb|hsl|oklch)\((?:[\d.]+(?:%|deg)?[\s,/]*){3,4}\))$/i

const colour = () =>
  text((written) =>
    colourPattern.test(written)
      ? written
      : new Refused(
          `${quoted(written)} is not a colour`,
          'write "#0b5fff" (in quotes), rgb(11 95 255), hsl(220 100% 52%) or a CSS name',
        ),
  )

export const loginSchema = z.strictObject({
  auto: yesOrNo().prefault(true).meta({
    description: 'Go to the provider at once. `false` shows a sign-in page first; several providers always do.',
  }),
  afterLogout: choice(['stay', 'resume']).prefault('stay').meta({
    description: 'After logout: `stay` on the signed-out page, or `resume` to sign in again and return.',
  }),
  providerLogout: yesOrNo().prefault(true).meta({
    description:
      'Logout also ends the session at the provider (RP-initiated logout), so that the next person has to sign in.',
  }),
})

export const brandSchema = z.strictObject({
  name: plainText()
    .prefault('Doorward')
    .meta({ description: 'Name on the pages people see.', examples: ['Example Corp'] }),
  logo: z
    .union([plainText(), fileRef()])
    .optional()
    .meta({
      description:
        'Image file (png, svg, jpeg or webp, at most 256 KiB). It is put into the pages, which load nothing.',
      examples: ['logo.svg'],
    }),
  color: colour()
    .optional()
    .meta({ description: 'Colour of buttons and links.', examples: ['#0b5fff'] }),
  background: colour()
    .optional()
    .meta({ description: 'Background colour of the pages.', examples: ['#f4f6fb'] }),
  contact: plainText()
    .optional()
    .meta({
      description: 'Plain text under the sign-in, forbidden and error pages: whom to ask.',
      examples: ['Questions? it-help@example.com'],
    }),
})

export const logSchema = z.strictObject({
  level: choice(['debug', 'info', 'warn', 'error'])
    .prefault('info')
    .meta({ description: 'Least important line that is written.' }),
  access: yesOrNo().prefault(true).meta({ description: 'One line per request.' }),
})

export const limitsSchema = z.strictObject({
  headerBytes: byteSize(4096)
    .prefault('32KiB')
    .meta({ description: 'All headers of one request together; more is answered with 431.' }),
  headersTimeout: duration({ least: 1000 })
    .prefault('15s')
    .meta({ description: 'Time for a client to send its request headers, and a form to one of our own pages.' }),
  keepAliveTimeout: duration({ least: 1000 }).prefault('75s').meta({
    description:
      'How long an idle client connection stays open. Keep it above the idle time of the load balancer in front.',
  }),
  drainTimeout: duration()
    .prefault('30s')
    .meta({ description: 'After SIGTERM: time for requests in flight to finish.' }),
  drainDelay: duration().prefault('0s').meta({
    description: 'After SIGTERM: time between "not ready" and closing the listeners, for a load balancer to notice.',
  }),
})
