import { z } from 'zod'
import { normaliseHost } from '../core/target.ts'
import { quoted, Refused } from './refused.ts'
import { parseRoutePath } from './route-paths.ts'
import { originText } from './schema-addresses.ts'
import { headersSchema, identityHeadersChoice, responseHeadersSchema } from './schema-headers.ts'
import { impersonateSchema } from './schema-impersonate.ts'
import { duration } from './schema-quantities.ts'
import { requirementsSchema } from './schema-requirements.ts'
import { upstreamSchema } from './schema-upstream.ts'
import {
  choice,
  list,
  oneOrMore,
  plainText,
  rawText,
  reasonAndHint,
  secretRef,
  text,
  wholeNumber,
  word,
  yesOrNo,
} from './schema-values.ts'

const host = () =>
  text((written) => {
    if (written.includes('*')) return new Refused(`${quoted(written)} holds a *`, 'name the host; one route for each')
    if (/^https?:/i.test(written))
      return new Refused(`${quoted(written)} holds a scheme`, 'write the host alone: app.example.com')
    // The scheme's own port is dropped when publicUrl's scheme is known.
    return (
      normaliseHost(written, 'https') ??
      new Refused(`${quoted(written)} is not a host`, 'write app.example.com, with :port if there is one')
    )
  })

const method = () =>
  text((written) => {
    const name = written.toUpperCase()
    if (name === 'TRACE' || name === 'CONNECT') return new Refused(`${name} is never served`, 'remove it')
    return /^[A-Z][A-Z-]{1,30}$/.test(name)
      ? name
      : new Refused(`${quoted(written)} is not a method`, 'write GET, POST, ...')
  })

const protocol = () =>
  text((written) => {
    const name = written.toLowerCase()
    if (/^h2c?(?:\/|$)/.test(name))
      return new Refused('h2c would carry requests past the gate', 'HTTP/2 towards upstreams is not supported')
    return /^[a-z0-9][\w.-]*(?:\/[\w.]+)?$/.test(name)
      ? name
      : new Refused(`${quoted(written)} is not a protocol`, 'write websocket or SPDY/3.1')
  })

/** RFC 6265 4.1.1: a name is a token. A `*` is one of its characters, so only the last one means any end. */
const cookiePattern = () =>
  text((written) => {
    if (/^[\w!#$%&'+.^`|~-]*\*?$/.test(written) && written !== '') return written
    return new Refused(
      `${quoted(written)} is not the name of a cookie`,
      'write the name, or its beginning and a *: app-auth-*',
    )
  })

const respondSchema = z.strictObject({
  status: wholeNumber(200, 599).prefault(200).meta({ description: 'Status code.' }),
  headers: responseHeadersSchema.prefault({}).meta({ description: 'Headers of the answer.' }),
  body: rawText().prefault('').meta({ description: 'Text of the answer.' }),
})

const corsSchema = z.strictObject({
  origins: oneOrMore(originText()).meta({
    description: 'Origins whose scripts may call.',
    examples: [['https://app.example.com']],
  }),
  preflight: choice(['pass', 'answer']).prefault('answer').meta({
    description:
      '`answer` preflights here, and put our CORS headers on the answers of the upstream in place of its own; or `pass` preflights to the upstream without a session and without credentials of ours (`basicAuth`, `impersonate`); its headers stay. Behind forward-auth they always pass.',
  }),
  methods: list(method()).prefault(['GET', 'HEAD', 'POST']).meta({ description: 'Methods a preflight is allowed.' }),
  headers: list(plainText())
    .prefault([])
    .meta({ description: 'Request headers a preflight is allowed.', examples: [['content-type']] }),
  exposeHeaders: list(plainText())
    .prefault([])
    .meta({
      description: 'Response headers those scripts may read. Empty: what the upstream says, if it does.',
      examples: [['etag']],
    }),
  credentials: yesOrNo().prefault(false).meta({ description: 'Let those scripts send the session cookie.' }),
  maxAge: duration().prefault('10m').meta({ description: 'How long a browser may remember the answer.' }),
})

export const routeSchema = z.strictObject({
  name: word()
    .optional()
    .meta({ description: 'Label in metrics and log lines. Unset: host and path.', examples: ['admin'] }),
  host: host()
    .optional()
    .meta({ description: 'Host it is for. Unset: every host of `publicUrl`.', examples: ['grafana.example.com'] }),
  path: text(parseRoutePath)
    .prefault('/*')
    .meta({
      description:
        '`/exact`, or `/prefix/*` for the path and everything below it (`/admin/*` is also `/admin`, not `/administrator`).',
      examples: ['/admin/*'],
    }),
  methods: oneOrMore(method())
    .optional()
    .meta({
      description: 'Methods it answers; others get 405 and never the next route. GET includes HEAD. Unset: all.',
      examples: [['GET', 'POST']],
    }),
  allow: z.union([choice(['public', 'optional', 'signedIn']), requirementsSchema]).meta({
    description:
      'Who may pass. `public`: everybody, the session is never read. `optional`: everybody, and the upstream is told who it is if known. ' +
      '`signedIn`: everybody with an account. Or requirements: all keys must be met, one value of each list is enough.',
    examples: ['signedIn', { realmRoles: ['admin'] }],
  }),
  accept: oneOrMore(choice(['session', 'bearer']))
    .prefault(['session'])
    .meta({
      description: "Ways to prove who it is: the browser's session, an API client's bearer token, or both.",
      examples: [['session', 'bearer']],
    }),
  provider: word().optional().meta({ description: 'Name under `providers` the session must come from. Unset: any.' }),
  upstream: upstreamSchema.optional().meta({
    description: 'Where allowed requests go: an address, or a map. Left out where an ingress asks by forward-auth.',
    examples: ['http://127.0.0.1:3000', { url: 'https://10.0.0.7', ca: 'ca.pem' }],
  }),
  respond: respondSchema
    .optional()
    .meta({ description: 'A fixed answer instead of an upstream.', examples: [{ status: 200, body: 'ok' }] }),
  headers: headersSchema.prefault({}).meta({
    description:
      'Request headers for the upstream, by name, made from `{sub}`, `{username}`, `{email}`, `{name}`, `{groups}`, `{claim:NAME}` (or a path with dots), `{accessToken}`, `{idToken}`. ' +
      'Identify people by `{sub}`: it is unique and never changes, while user names and e-mail addresses can be given to somebody else.',
    examples: [{ 'X-WEBAUTH-USER': '{sub}' }],
  }),
  identityHeaders: identityHeadersChoice()
    .optional()
    .meta({ description: 'Set of identity headers for this route. Unset: the one of the whole file.' }),
  encoding: choice(['ascii', 'utf8']).prefault('ascii').meta({
    description: 'Non-ASCII header values: `ascii` percent-encodes them, `utf8` sends raw UTF-8.',
  }),
  groupSeparator: z
    .string()
    .regex(/^[\x20-\x7e]{1,3}$/, { error: reasonAndHint('is not one to three visible characters', 'write "," or "|"') })
    .prefault(',')
    .meta({ description: 'Between the groups in `{groups}`. A group that holds it is left out and logged.' }),
  basicAuth: z
    .strictObject({
      username: plainText().meta({ description: 'User name, without a colon.' }),
      password: secretRef().meta({
        description: 'Password for the upstream.',
        examples: [{ env: 'UPSTREAM_PASSWORD' }],
      }),
    })
    .optional()
    .meta({ description: 'Authorization: Basic for the upstream.' }),
  forwardAuthorization: yesOrNo()
    .prefault(false)
    .meta({ description: "Pass the client's own Authorization header on." }),
  impersonate: impersonateSchema.optional().meta({
    description:
      "Kubernetes: ask the upstream in the person's name, with the service account's token and `Impersonate-*` headers.",
    examples: [{ user: '{email}', groupsPrefix: 'oidc:' }],
  }),
  assertionAudience: plainText()
    .optional()
    .meta({
      description: '`aud` of the signed statement for this route (`assertion`). Unset: the address people reach it at.',
      examples: ['grafana'],
    }),
  encodedSlashes: choice(['refuse', 'keep']).prefault('refuse').meta({
    description:
      '`keep` lets paths with %2F through undecoded (GitLab, npm, RabbitMQ). Not for `public` and `optional` routes.',
  }),
  origins: list(originText()).prefault([]).meta({
    description:
      'Origins beyond our own whose pages may send changes (POST, PUT, ...) and websockets with the session.',
  }),
  cors: corsSchema.optional().meta({ description: 'Cross-origin calls by scripts of other sites.' }),
  dropCookies: list(cookiePattern())
    .prefault([])
    .meta({
      description:
        "Cookies of the application's own that do not reach the upstream: names, or a beginning and `*`, compared without case. " +
        'Ours never do. Where an ingress forwards, only one that asks over gRPC (`extAuthz`) takes them out.',
      examples: [['headlamp-auth-*']],
    }),
  upgrades: list(protocol())
    .prefault(['websocket'])
    .meta({ description: 'Protocols an Upgrade may ask for. Empty: none.', examples: [['websocket', 'SPDY/3.1']] }),
})
