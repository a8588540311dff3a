import { z } from 'zod'
import { quoted, Refused } from './refused.ts'
import { network } from './schema-addresses.ts'
import { duration } from './schema-quantities.ts'
import { fileRef, oneOrMore, plainText, reasonAndHint, text } from './schema-values.ts'

/** An exact group, or every group below a path: `/staff`, `/staff/*`. */
export const groupPattern = () =>
  text((written) => {
    if (written === '') return new Refused('is empty', 'write a group name')
    const star = written.indexOf('*')
    if (star === -1 || (star === written.length - 1 && /[^/]\/\*$/.test(written))) return written
    return new Refused(
      `${quoted(written)} has a * where none is read`,
      'write an exact group, or /prefix/* for all groups below it',
    )
  })

const clientRole = () =>
  text((written) => {
    // The client comes first and may hold colons itself (SAML clients are named by a URL).
    const colon = written.lastIndexOf(':')
    if (colon > 0 && colon < written.length - 1)
      return { client: written.slice(0, colon), role: written.slice(colon + 1) }
    return new Refused(`${quoted(written)} is not a client role`, 'write client:role, for example grafana:editor')
  })

const emailAddress = () => text(parseEmail)

/** One address, a list of them, or a file with one per line. */
export const emailList = () =>
  z.union([
    emailAddress(),
    z.array(emailAddress()).min(1, { error: reasonAndHint('is an empty list', 'name at least one address') }),
    fileRef(),
  ])

/** An address in the lower case it is compared in. */
export function parseEmail(written: string): string | Refused {
  if (/^[^\s@,;<>"]+@[^\s@,;<>"]+$/.test(written) && !written.includes('*')) return written.toLowerCase()
  return new Refused(
    `${quoted(written)} is not an e-mail address`,
    'write one address per entry; whole domains go to emailDomains',
  )
}

const emailDomain = () =>
  text((written) => {
    const domain = written.toLowerCase()
    if (domain.includes('*'))
      return new Refused('"*" is not a domain', 'name the domains, or use `allow: signedIn` if everybody may come in')
    if (domain.startsWith('@')) return new Refused('starts with an @', `write ${domain.slice(1)}`)
    const named = /^[a-z0-9\u0080-\uffff-]+(?:\.[a-z0-9\u0080-\uffff-]+)*$/.test(domain)
    return named ? domain : new Refused(`${quoted(written)} is not a domain`, 'write example.com')
  })

/** Written `^...$`; compiled so that an alternation inside cannot escape the anchors. */
export function parseAnchored(written: string): RegExp | Refused {
  const hint = "write the whole value: { matches: '^eng-[a-z]+$' }"
  if (written.length > 500)
    return new Refused('is longer than 500 characters', 'split it into several rules with anyOf')
  if (!/^\^.*[^\\]\$$/s.test(written))
    return new Refused(`${quoted(written)} does not start with ^ and end with $`, hint)
  try {
    return new RegExp(`^(?:${written.slice(1, -1)})$`, 'u')
  } catch {
    return new Refused(`${quoted(written)} is not a regular expression`, hint)
  }
}

const claimValue = () => z.union([plainText(), z.number(), z.boolean()])

const claimTest = () =>
  z.union([
    plainText(),
    z.number(),
    z.boolean(),
    z.array(claimValue()).min(1, { error: reasonAndHint('is an empty list', 'name at least one value') }),
    z.strictObject({
      matches: text(parseAnchored).meta({ description: 'Regular expression for the whole value, written `^...$`.' }),
    }),
  ])

const leaves = {
  groups: oneOrMore(groupPattern())
    .optional()
    .meta({
      description:
        'Member of one of these groups: exact, or `/prefix/*` for all below. The leading slash counts (see `groupPaths`).',
      examples: [['/staff', '/admins/*']],
    }),
  realmRoles: oneOrMore(plainText())
    .optional()
    .meta({ description: 'Has one of these Keycloak realm roles.', examples: [['admin']] }),
  clientRoles: oneOrMore(clientRole())
    .optional()
    .meta({
      description: 'Has one of these Keycloak client roles, written `client:role`.',
      examples: [['grafana:editor']],
    }),
  scopes: oneOrMore(plainText())
    .optional()
    .meta({ description: 'The token was granted one of these scopes.', examples: [['api.read']] }),
  emails: emailList()
    .optional()
    .meta({
      description:
        'Has one of these verified e-mail addresses: a list, or `{ file }` with one address per line (# starts a comment; watched).',
      examples: [['ada@example.com'], { file: 'emails.txt' }],
    }),
  emailDomains: oneOrMore(emailDomain())
    .optional()
    .meta({
      description: 'Verified e-mail address at one of these domains, subdomains not included.',
      examples: [['example.com']],
    }),
  claims: z
    .record(z.string().min(1), claimTest())
    .optional()
    .meta({
      description:
        "Claims by name, or by a path with dots into one (`address.country`): an exact value, a list of accepted values, or `{ matches: '^...$' }`.",
      examples: [{ department: ['engineering', 'research'] }],
    }),
  networks: oneOrMore(network())
    .optional()
    .meta({
      description: "The client's address is in one of these ranges (judged through `trustedProxies`).",
      examples: [['10.0.0.0/8']],
    }),
  acr: oneOrMore(plainText())
    .optional()
    .meta({
      description: 'The login reached one of these authentication classes; otherwise it is asked for once (step-up).',
      examples: [['gold']],
    }),
  maxAge: duration({ least: 1000 })
    .optional()
    .meta({ description: 'The person signed in at the provider no longer ago than this.', examples: ['15m'] }),
}

/** Requirements as parsed; `emails` may still be a file to read. */
export interface ParsedRequirements extends z.output<z.ZodObject<typeof leaves>> {
  anyOf?: ParsedRequirements[] | undefined
  not?: ParsedRequirements | undefined
}

/** Everything a route can ask of a person. AND across the keys, OR within a list. */
export const requirementsSchema: z.ZodType<ParsedRequirements> = z
  .strictObject({
    ...leaves,
    get anyOf() {
      return z
        .array(requirementsSchema)
        .min(1)
        .optional()
        .meta({ description: 'At least one of these sets of requirements is met.' })
    },
    get not() {
      return requirementsSchema.optional().meta({ description: 'This set of requirements is not met.' })
    },
  })
  .refine((written) => Object.values(written).some((value) => value !== undefined), {
    error: reasonAndHint('asks for nothing', 'name a requirement (groups, realmRoles, emails, ...), or write signedIn'),
  })
  .meta({ id: 'Requirements' })
