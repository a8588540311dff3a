import type { RouteConfig } from '../../src/config/config.ts'
import type { Identity } from '../../src/core/identity.ts'
import { readPath, type Target } from '../../src/core/target.ts'

/** A route that lets signed-in people in, with what the test is about on top. */
export const route = (changes: Partial<RouteConfig>): RouteConfig => ({
  name: changes.path ?? '/*',
  host: undefined,
  path: '/*',
  methods: undefined,
  allow: 'signedIn',
  accept: ['session'],
  provider: undefined,
  upstream: undefined,
  respond: undefined,
  headers: { set: [], encoding: 'ascii', groupSeparator: ',', basicAuth: undefined, forwardAuthorization: false },
  impersonate: undefined,
  assertionAudience: undefined,
  encodedSlashes: 'refuse',
  origins: [],
  cors: undefined,
  dropCookies: [],
  upgrades: ['websocket'],
  ...changes,
})

export const host = 'app.example.com'

/** A request for a raw path, as a front door would read it. */
export const target = (raw: string, changes: Partial<Target> = {}): Target => ({
  method: 'GET',
  scheme: 'https',
  host,
  ...readPath(raw),
  ...changes,
})

/** Somebody the provider knows, without any privilege. */
export const person = (changes: Partial<Identity> = {}): Identity => ({
  provider: 'default',
  issuer: 'https://idp.example.com',
  subject: 'u-1',
  username: 'ada',
  groups: [],
  realmRoles: [],
  clientRoles: {},
  scopes: [],
  claims: {},
  ...changes,
})
