import type { Secret } from '../core/secret.ts'
import type { AssertionConfig } from './assertion-config.ts'
import type { BearerConfig } from './bearer-config.ts'
import type { CompatibilityConfig } from './compatibility-config.ts'
import type { HeadersConfig, HeaderTemplate, TemplatePart } from './headers-config.ts'
import type { ListenTls } from './listen-tls.ts'
import type { RedisConfig } from './redis-config.ts'

/**
 * What will run: every default filled in, durations in milliseconds, addresses parsed, secrets read.
 * Made from a `ConfigFile` by `resolveConfig` and never changed afterwards; a reload makes a new one.
 */
export interface Config {
  /** Where browsers reach us; the first is the default one to return to. */
  readonly publicUrls: readonly URL[]
  /** First segment of our own pages, `/_doorward`, without a trailing slash. */
  readonly basePath: string
  readonly listen: ListenAddress
  /** For `listen` alone; undefined where something in front ends TLS. */
  readonly tls: ListenTls | undefined
  /** The listener for the ingress alone; undefined where the file does not ask for it. */
  readonly forwardAuth: ListenAddress | undefined
  /** The same for gateways that ask over gRPC, as Envoy's ext_authz does; undefined where the file does not ask for it. */
  readonly extAuthz: ListenAddress | undefined
  readonly operations: ListenAddress | undefined
  readonly providers: readonly ProviderConfig[]
  readonly session: SessionConfig
  /** The store shared by all replicas; undefined where the file has none. */
  readonly redis: RedisConfig | undefined
  readonly bearer: readonly BearerConfig[]
  /** Signed statements for applications; undefined where the file does not ask for them. */
  readonly assertion: AssertionConfig | undefined
  /** Another product's addresses, served beside ours during a move; undefined: none. */
  readonly compatibility: CompatibilityConfig | undefined
  /** CIDR ranges whose X-Forwarded-* is believed; empty: nobody's. */
  readonly trustedProxies: readonly string[]
  /** http for publicUrl, issuer or upstream TLS off loopback was accepted in writing. */
  readonly allowInsecureHttp: boolean
  readonly routes: readonly RouteConfig[]
  readonly login: LoginConfig
  readonly brand: BrandConfig
  readonly log: LogConfig
  readonly limits: LimitsConfig
  /** Every file whose content is part of this config: watched, and named by `check`. */
  readonly files: readonly string[]
  /** Short hash of the file as written, for /status. Secrets are not part of it. */
  readonly hash: string
}

export interface ListenAddress {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
}

export interface ProviderConfig {
  /** `default` for `provider:`; the key under `providers:` otherwise. */
  readonly name: string
  /** What the chooser page calls it. */
  readonly label: string
  readonly kind: 'keycloak' | 'oidc' | 'github'
  /** Compared with `iss` to the letter; not changed by `internalUrl`. */
  readonly issuer: string
  /** Transport of server-to-server calls: replaces scheme, host, port and leading path of the issuer's origin. */
  readonly internalUrl: URL | undefined
  readonly jwksUrl: URL | undefined
  /** Pinned endpoints win over discovery; with all of them pinned, discovery is not asked. */
  readonly endpoints: {
    readonly authorization: URL | undefined
    readonly token: URL | undefined
    readonly userinfo: URL | undefined
    readonly endSession: URL | undefined
  }
  /** PEM file with further certificate authorities. May appear later; read at every (re)connection. */
  readonly caFile: string | undefined
  readonly clientId: string
  readonly clientAuth: ClientAuthConfig
  readonly scopes: readonly string[]
  /** Sent with every authorization request. */
  readonly authorizationParameters: Readonly<Record<string, string>>
  /** Names a login link may pass on: `kc_idp_hint`, `ui_locales`, `login_hint`. */
  readonly allowedParameters: readonly string[]
  readonly prompt: string | undefined
  /** GitHub: members of one of these organisations may sign in; undefined: the file names none. */
  readonly allowedOrgs: readonly string[] | undefined
  /** Verified addresses, in lower case, whose owners may sign in; undefined: the file names none. */
  readonly allowedEmails: readonly string[] | undefined
  readonly trustUnverifiedEmail: boolean
  /** `ignore` drops the leading slash of Keycloak group paths. */
  readonly groupPaths: 'keep' | 'ignore'
  /** Exact names or `/prefix/*`: what enters the session. Empty: all. */
  readonly groupsKept: readonly string[]
  /** Name of the claim that holds the groups. */
  readonly groupsClaim: string
  /** What people call the identity providers behind this one, by alias. */
  readonly accountKinds: Readonly<Record<string, string>>
  /** Claims beyond the standard ones that rules and header templates mention. */
  readonly claimsKept: readonly string[]
  /** Whole deadline of one call to the provider, in milliseconds. */
  readonly timeout: number
}

export type ClientAuthConfig =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: Secret }
  | {
      readonly method: 'private_key_jwt'
      readonly key: Secret
      readonly keyId: string | undefined
      readonly algorithm: string | undefined
    }
  | { readonly method: 'none' }

export interface SessionConfig {
  readonly store: 'memory' | 'cookie' | 'redis'
  /** The first seals, all open. For `memory` without a secret: one random key, `ephemeral`. */
  readonly secrets: readonly Secret[]
  /** The key was made up at the start: a restart forgets all sessions. */
  readonly ephemeral: boolean
  /** Milliseconds without a request until the session ends. */
  readonly idle: number
  /** Milliseconds from login until the session ends whatever happens. */
  readonly lifetime: number
  /** Milliseconds between claim renewals; undefined: at 80 % of the access token's life. */
  readonly refreshEvery: number | undefined
  readonly cookieName: string | undefined
  readonly cookieDomain: string | undefined
  readonly sameSite: 'lax' | 'strict' | 'none'
  /** Bytes that opened sessions may take in the cache of this process. */
  readonly cacheBytes: number
}

export interface LoginConfig {
  /** false shows the sign-in page instead of going to the provider at once. */
  readonly auto: boolean
  /** After logout: `stay` on the signed-out page, or `resume` to log in and return. */
  readonly afterLogout: 'stay' | 'resume'
  /** Send the browser to the provider's end-session endpoint too (RP-initiated logout). */
  readonly providerLogout: boolean
}

export interface BrandConfig {
  readonly name: string
  /** data: URL made from the logo file, so that no page loads anything. */
  readonly logo: string | undefined
  /** CSS colours, checked by a strict pattern. */
  readonly color: string | undefined
  readonly background: string | undefined
  /** Plain text under the sign-in, forbidden and error pages: whom to ask. */
  readonly contact: string | undefined
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** One line per request. */
  readonly access: boolean
}

export interface LimitsConfig {
  /** Bytes of all request headers (Node refuses more with 431). */
  readonly headerBytes: number
  /** Milliseconds to receive the headers of a request. */
  readonly headersTimeout: number
  /** Milliseconds an idle keep-alive connection stays open. */
  readonly keepAliveTimeout: number
  /** Milliseconds SIGTERM waits for requests in flight. */
  readonly drainTimeout: number
  /** Milliseconds between not-ready and closing the listeners, for the load balancer to notice. */
  readonly drainDelay: number
}

export interface RouteConfig {
  /** `name:` of the file, else `<host><path>`; labels metrics and log lines. */
  readonly name: string
  /** Lower case, as `Target.host`; undefined: every host of publicUrl. */
  readonly host: string | undefined
  /** `/exact`, or `/prefix/*`; `/*` where the file has none. */
  readonly path: string
  /** Upper case; undefined: every method. GET implies HEAD. */
  readonly methods: readonly string[] | undefined
  readonly allow: AllowConfig
  /** Ways to prove who it is, in the order of the file. */
  readonly accept: readonly ('session' | 'bearer')[]
  /** Named provider a session must come from; undefined: any. */
  readonly provider: string | undefined
  readonly upstream: UpstreamConfig | undefined
  /** A fixed answer instead of an upstream. */
  readonly respond: StaticResponse | undefined
  readonly headers: HeadersConfig
  /** Speak for people to a Kubernetes API; undefined: not. */
  /** `aud` of a signed statement; undefined: the origin people reach the route at. */
  readonly assertionAudience: string | undefined
  readonly impersonate: ImpersonateConfig | undefined
  readonly encodedSlashes: 'refuse' | 'keep'
  /** Origins beyond our own that cookie-proved unsafe requests and upgrades may come from. */
  readonly origins: readonly string[]
  readonly cors: CorsConfig | undefined
  /** Cookies of the application's own that do not reach the upstream: exact names, or a beginning and `*`. */
  readonly dropCookies: readonly string[]
  /** Protocols an Upgrade may ask for, lower case; `websocket` unless said. */
  readonly upgrades: readonly string[]
}

export type AllowConfig = 'public' | 'optional' | 'signedIn' | Requirements

/** AND across the fields, OR within a list. All undefined never happens: the schema refuses it. */
export interface Requirements {
  readonly groups?: readonly string[]
  readonly realmRoles?: readonly string[]
  /** `client:role`. */
  readonly clientRoles?: readonly ClientRole[]
  readonly scopes?: readonly string[]
  readonly emails?: readonly string[]
  readonly emailDomains?: readonly string[]
  readonly claims?: readonly ClaimTest[]
  /** CIDR ranges of the client address. */
  readonly networks?: readonly string[]
  readonly acr?: readonly string[]
  /** Seconds since the last authentication. */
  readonly maxAge?: number
  readonly anyOf?: readonly Requirements[]
  readonly not?: Requirements
}

export interface ClientRole {
  readonly client: string
  readonly role: string
}

export type ClaimTest =
  | { readonly claim: string; readonly oneOf: readonly (string | number | boolean)[] }
  | { readonly claim: string; readonly matches: RegExp }

export interface UpstreamConfig {
  /** http:, https:, or a unix socket with the http base in `url`. */
  readonly url: URL
  readonly socketPath: string | undefined
  /** Removed from the front of the path before forwarding; undefined: nothing. */
  readonly stripPrefix: string | undefined
  /** Put in front of the path; empty: nothing. The path of `url` counts here. */
  readonly addPrefix: string
  /** `keep` the Host the browser sent, or `rewrite` it to the upstream's. */
  readonly host: 'keep' | 'rewrite'
  readonly caFile: string | undefined
  readonly clientCertificate: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly connectTimeout: number
  /** Milliseconds until the upstream's headers must have come. */
  readonly headersTimeout: number
  /** Milliseconds between two pieces of a body; 0: no limit. SSE and websockets are exempt. */
  readonly bodyTimeout: number
  /** Bytes a request body may have. */
  readonly maxBody: number
  /** Connections kept to this upstream. */
  readonly connections: number
}

export interface StaticResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Kubernetes user impersonation: the service account's token, and whom it speaks for. */
export interface ImpersonateConfig {
  /** Read again whenever it changes; need not be there at the start. */
  readonly tokenFile: string
  /** A request whose user is not known is refused. */
  readonly user: readonly TemplatePart[]
  readonly uid: readonly TemplatePart[] | undefined
  readonly groups: boolean
  readonly groupsPrefix: string
  /** By whole header name, `Impersonate-Extra-…`. */
  readonly extra: readonly HeaderTemplate[]
  /** Users and groups that may begin with `system:`. */
  readonly allowSystem: readonly string[]
}

export interface CorsConfig {
  readonly origins: readonly string[]
  /** `pass` lets the upstream answer preflights; `answer` answers them here. */
  readonly preflight: 'pass' | 'answer'
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  /** Response headers scripts may read; empty: what the upstream says. */
  readonly exposeHeaders: readonly string[]
  readonly credentials: boolean
  /** Seconds a browser may remember the answer. */
  readonly maxAge: number
}
