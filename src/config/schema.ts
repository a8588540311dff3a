/**
 * The file as people write it. The descriptions are the manual: docs/configuration.md, config.schema.json and
 * `doorward help config` are made from them.
 */
import { z } from 'zod'
import { listenTlsSchema } from './listen-tls.ts'
import { quoted, Refused } from './refused.ts'
import { listenAddress, network, origin, parseListen } from './schema-addresses.ts'
import { assertionSchema } from './schema-assertion.ts'
import { bearerSchema } from './schema-bearer.ts'
import { compatibilitySchema } from './schema-compatibility.ts'
import { identityHeadersChoice } from './schema-headers.ts'
import { providerSchema } from './schema-provider.ts'
import { redisSchema } from './schema-redis.ts'
import { routeSchema } from './schema-route.ts'
import { brandSchema, limitsSchema, loginSchema, logSchema } from './schema-server.ts'
import { sessionSchema } from './schema-session.ts'
import { anyNumberOf, list, oneOrMore, reasonAndHint, text, wholeNumber, yesOrNo } from './schema-values.ts'

const basePath = () =>
  text((written) =>
    /^\/[A-Za-z0-9_][\w-]*(?:\/[A-Za-z0-9_][\w-]*)*$/.test(written)
      ? written
      : new Refused(
          `${quoted(written)} is not a base path`,
          'write it with a leading and without a trailing slash: /_doorward',
        ),
  )

const version = () =>
  z.preprocess(
    (value) => (value === '1' ? 1 : value),
    z.literal(1, { error: reasonAndHint('is not a version this program knows', 'write version: 1') }),
  )

export const configFileSchema = z.strictObject({
  version: version().prefault(1).meta({ description: 'Version of this format: `1`.' }),
  publicUrl: oneOrMore(origin()).meta({
    description:
      'Where browsers reach this gateway: scheme, host and port. A list where there are several; the first is the one to return to.',
    examples: ['https://grafana.example.com'],
  }),
  basePath: basePath().prefault('/_doorward').meta({
    description:
      "Path of the gateway's own pages (login, callback, logout, ...). With `compatibility`, unset: `/oauth2`.",
  }),
  listen: listenAddress().prefault('0.0.0.0:4180').meta({ description: 'Address for public traffic, `host:port`.' }),
  tls: listenTlsSchema.optional().meta({
    description:
      'TLS (1.2 and 1.3) on `listen`, where nothing in front ends it. Renewed files are taken without closing a connection. Off unless written.',
    examples: [{ certificate: '/run/secrets/tls.crt', key: { file: '/run/secrets/tls.key' } }],
  }),
  forwardAuth: listenAddress()
    .optional()
    .meta({
      description: 'Address for the ingress alone, where it asks /auth/nginx, /auth/traefik, ... Off unless written.',
      examples: ['0.0.0.0:4181'],
    }),
  extAuthz: listenAddress()
    .optional()
    .meta({
      description:
        "Address for gateways that ask over gRPC (Envoy's ext_authz, and health checks). For the ingress alone; off unless written.",
      examples: ['0.0.0.0:4182'],
    }),
  operations: text((written) => (written === 'off' ? 'off' : parseListen(written)))
    .prefault('127.0.0.1:9180')
    .meta({ description: 'Address for /healthz, /readyz, /status and /metrics, or `off`.' }),
  workers: wholeNumber(1, 1024)
    .prefault(1)
    .meta({ description: 'Processes that share the work. This version supports 1.' }),
  provider: providerSchema.optional().meta({ description: 'The identity provider people sign in with.' }),
  providers: z.record(z.string(), providerSchema).optional().meta({
    description:
      'Several providers by name, instead of `provider`. People choose on a sign-in page, unless the route names one.',
  }),
  session: sessionSchema.prefault({}).meta({ description: 'How a login is remembered.' }),
  redis: redisSchema.optional().meta({
    description:
      'Redis or Valkey, shared by all replicas. `session.store: redis` keeps sessions there; with `store: cookie` it ' +
      'carries logout to every replica and lets one of them renew a session for all.',
  }),
  login: loginSchema.prefault({}).meta({ description: 'How people sign in and out.' }),
  bearer: list(bearerSchema)
    .prefault([])
    .meta({ description: 'Issuers whose bearer tokens API clients may show. Off unless written.' }),
  assertion: assertionSchema.optional().meta({
    description:
      'A short signed statement (JWT, ES256) of who it is, in a header of every allowed request: for applications that ' +
      'check for themselves. Keys at `<publicUrl>/_doorward/jwks.json`. Off unless written.',
    examples: [{ header: 'X-Auth-Assertion', lifetime: '2m' }],
  }),
  trustedProxies: anyNumberOf(network())
    .prefault([])
    .meta({
      description:
        'Addresses of the proxies in front, whose X-Forwarded-* is believed and who may ask on `forwardAuth` and `extAuthz`. Nobody unless written.',
      examples: [['10.42.0.0/24']],
    }),
  allowInsecureHttp: yesOrNo().prefault(false).meta({
    description: 'Accept http for `publicUrl` and issuers off loopback. Everybody on the way can then read sessions.',
  }),
  identityHeaders: identityHeadersChoice()
    .prefault('default')
    .meta({
      description:
        'Names that tell upstreams who it is. `default`: X-Auth-User, X-Auth-Subject, X-Auth-Email, X-Auth-Groups. ' +
        '`oauth2-proxy`, `authelia`, `authentik`: the names of those products. `none`: only what a route lists under `headers`. ' +
        'With `compatibility`, unset: the names of that product.',
    }),
  compatibility: compatibilitySchema.optional().meta({
    description:
      'During a move from `oauth2-proxy`: its addresses under `basePath` are served as well (`/oauth2/start`, `sign_in`, `callback`, ' +
      '`sign_out`, `userinfo`; `/oauth2/auth` on `forwardAuth` alone), so that ingress annotations and registered URIs keep working.',
    examples: ['oauth2-proxy', { product: 'oauth2-proxy', gateway: 'traefik', authStatus: 200 }],
  }),
  routes: list(routeSchema)
    .min(1, { error: reasonAndHint('is an empty list', 'write at least one route: - allow: signedIn') })
    .meta({
      description:
        'What is let through. Host and path choose the first route that matches; what nothing matches is refused.',
    }),
  brand: brandSchema.prefault({}).meta({ description: 'Looks of the pages people see.' }),
  log: logSchema.prefault({}).meta({ description: 'What is logged.' }),
  limits: limitsSchema.prefault({}).meta({ description: 'Limits of the listeners.' }),
})

/** The file as written, before defaults. */
export type ConfigFile = z.input<typeof configFileSchema>
