/** Settings of oauth2-proxy about addresses, upstreams, headers, pages and logs. */
import { always, carried, none, refused } from './setting.ts'

const oneLog = 'one log on standard output, JSON; `log.level` and `log.access`'
const tls = 'TLS ends at the gateway in front'
const ownTls = 'TLS ends at the gateway in front, or here: write `tls`'
const looks = 'pages take name, logo, colours and contact from `brand`'

export const servingSettings = {
  // Addresses
  'http-address': carried('text', 'listen'),
  'https-address': none('text', ownTls, ':443'),
  'tls-cert-file': none('text', ownTls, ''),
  'tls-key-file': none('text', ownTls, ''),
  'tls-cert': none('text', ownTls, ''),
  'tls-key': none('text', ownTls, ''),
  'tls-min-version': none('text', 'TLS 1.2 and 1.3, wherever `tls` is written', ''),
  'tls-cipher-suite': none('list', 'those of Node, wherever `tls` is written', ''),
  'force-https': none('switch', tls),
  'redirect-url': carried('text', 'publicUrl'),
  'relative-redirect-url': none('switch', 'redirect URIs start with `publicUrl`, whatever the Host header says'),
  'proxy-prefix': carried('text', 'basePath'),
  'metrics-address': carried('text', 'operations'),
  'metrics-secure-address': none('text', tls, ''),
  'metrics-tls-cert-file': none('text', tls, ''),
  'metrics-tls-key-file': none('text', tls, ''),
  'ping-path': none('text', '/healthz on `operations` says whether it lives', ''),
  'ready-path': none('text', '/readyz on `operations` says whether it takes traffic', ''),
  'ping-user-agent': refused('text', 'a User-Agent is what a client says of itself and opens nothing', ''),
  'gcp-healthchecks': none('switch', '/healthz on `operations`; a User-Agent opens nothing'),
  'reverse-proxy': carried('switch', 'trustedProxies', 'the addresses have to be named'),
  'trusted-proxy-ip': carried('list', 'trustedProxies'),
  'real-client-ip-header': always('text', 'X-Forwarded-For of `trustedProxies`, from the right'),
  'trusted-ip': refused('list', 'an address lets nobody past the sign-in; `networks` under `allow` narrows', ''),
  'whitelist-domain': carried('list', 'routes.host', 'hosts by name, with `session.cookieDomain`'),
  'allow-query-semicolons': always('switch', 'queries pass as they are'),
  config: always('text', 'read'),
  'alpha-config': always('text', 'read'),
  'convert-config-to-alpha': none('switch', 'not a setting'),
  version: none('switch', 'not a setting'),

  // Upstreams
  upstream: carried('list', 'routes.upstream', 'static:// becomes `respond`, or `forwardAuth` alone'),
  'upstream-timeout': carried('text', 'routes.upstream.headersTimeout'),
  'pass-host-header': carried('switch', 'routes.upstream.host'),
  'proxy-websockets': carried('switch', 'routes.upgrades'),
  'flush-interval': always('text', 'bodies stream as they come'),
  'disable-keep-alives': none('switch', 'connections to upstreams are kept'),
  'ssl-upstream-insecure-skip-verify': refused('switch', 'name its authority instead: `upstream.ca`'),
  'skip-auth-route': carried('list', 'routes.allow: public', 'plain prefixes and exact paths; others are listed'),
  'skip-auth-regex': carried('list', 'routes.allow: public', 'plain prefixes and exact paths; others are listed'),
  'skip-auth-preflight': none('switch', 'write `cors` at the route: real preflights alone pass'),
  'skip-auth-strip-headers': always('switch', 'identity headers of clients are removed, on public routes too'),
  'api-route': always('list', 'a program gets 401, a browser that moves to a page is sent to sign in'),
  'force-json-errors': always('switch', 'a program gets JSON, a browser a page'),

  // Headers
  'set-xauthrequest': carried('switch', 'identityHeaders'),
  'pass-user-headers': carried('switch', 'identityHeaders'),
  'pass-access-token': carried('switch', 'routes.headers', 'needs a store other than `cookie`'),
  'pass-authorization-header': carried('switch', 'routes.headers.Authorization', 'needs a store other than `cookie`'),
  'set-authorization-header': carried('switch', 'routes.headers.Authorization', 'needs a store other than `cookie`'),
  'prefer-email-to-user': carried('switch', 'routes.headers.X-Forwarded-User'),
  'pass-basic-auth': always('switch', 'no password stands for a person'),
  'basic-auth-password': none('secret', 'no password stands for a person; `basicAuth` has one user for all', ''),
  'set-basic-auth': none('switch', 'no password stands for a person; `basicAuth` has one user for all'),
  'signature-key': none('secret', 'use `assertion`: a signed statement that applications check', ''),

  // Pages
  'skip-provider-button': carried('switch', 'login.auto'),
  'custom-sign-in-logo': carried('text', 'brand.logo', 'a file'),
  'custom-templates-dir': none('text', looks, ''),
  banner: none('text', looks, '-'),
  footer: none('text', looks, '-'),
  'show-debug-on-error': refused('switch', 'details go to the log, never to a page'),

  // Logs
  'request-logging': carried('switch', 'log.access'),
  'request-logging-format': none('text', oneLog, ''),
  'request-id-header': none('text', 'each request gets an id of its own', 'X-Request-Id'),
  'auth-logging': always('switch', 'sign-ins and refusals are audit lines'),
  'auth-logging-format': none('text', oneLog, ''),
  'standard-logging': always('switch', oneLog),
  'standard-logging-format': none('text', oneLog, ''),
  'errors-to-info-log': always('switch', oneLog),
  'exclude-logging-path': none('text', oneLog, ''),
  'silence-ping-logging': always('switch', 'health is asked on `operations`, which has no access log'),
  'logging-filename': none('text', oneLog, ''),
  'logging-compress': none('switch', oneLog),
  'logging-local-time': always('switch', 'times are UTC'),
  'logging-max-age': none('text', oneLog, ''),
  'logging-max-backups': none('text', oneLog, ''),
  'logging-max-size': none('text', oneLog, ''),
}
