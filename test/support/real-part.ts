/** Programs that suites want for real, where they are found, and what becomes of a test where one is missing. */
import { accessSync, constants, existsSync, globSync, statSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Everything `scripts/install-real-parts.sh` knows to install. */
export type RealPart = 'chromium' | 'keycloak' | 'redis' | 'prometheus' | Gateway | 'njs' | 'helm' | 'docker'
export type Gateway = 'nginx' | 'haproxy' | 'caddy' | 'envoy' | 'traefik' | 'envoy-gateway' | 'contour'

interface Place {
  /** Environment variable that names the program, before anything else is looked at. */
  readonly variable: string
  /** Looked for in PATH and where administrators' programs are. */
  readonly program?: string
  /** Looked for in the repository; the newest version wins. */
  readonly cached?: string
  /** Where Debian's package puts it: before anything else of that name, or the file of a part that is no program. */
  readonly packaged?: string
}

/** The newest is the rule; `DOORWARD_KEYCLOAK=26.0.0` takes the oldest supported one. */
const keycloakVersion = process.env.DOORWARD_KEYCLOAK ?? '26.7.0'

const places: Readonly<Record<RealPart, Place>> = {
  chromium: { variable: 'CHROMIUM', program: 'chromium' },
  keycloak: { variable: 'KEYCLOAK', cached: `.cache/keycloak/${keycloakVersion}/bin/kc.sh` },
  redis: { variable: 'REDIS_SERVER', program: 'redis-server' },
  prometheus: { variable: 'PROMETHEUS', program: 'prometheus' },
  nginx: { variable: 'NGINX', program: 'nginx' },
  haproxy: { variable: 'HAPROXY', program: 'haproxy' },
  caddy: { variable: 'CADDY', program: 'caddy' },
  envoy: { variable: 'ENVOY', program: 'envoy', cached: '.cache/envoy/*/envoy' },
  traefik: { variable: 'TRAEFIK', program: 'traefik', cached: '.cache/traefik/*/traefik' },
  'envoy-gateway': {
    variable: 'ENVOY_GATEWAY',
    program: 'envoy-gateway',
    cached: '.cache/envoy-gateway/*/envoy-gateway',
  },
  contour: { variable: 'CONTOUR', program: 'contour', cached: '.cache/contour/*/contour' },
  helm: { variable: 'HELM', program: 'helm', cached: '.cache/helm/helm' },
  njs: { variable: 'NJS_MODULE', packaged: '/usr/lib/nginx/modules/ngx_http_js_module.so' },
  // A client of another age may stand before it in PATH, and asks for plugins that Debian does not have.
  docker: { variable: 'DOCKER', packaged: '/usr/bin/docker', program: 'docker' },
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/bin', '/usr/sbin', '/usr/local/sbin']

/** Path of the program (of `njs`: the module) of a part, or undefined where this machine has none. */
export function findPart(part: RealPart): string | undefined {
  const { variable, program, cached, packaged } = places[part]
  const isThere = program === undefined && cached === undefined ? existsSync : isProgram
  const named = process.env[variable]
  if (named !== undefined) return [path.resolve(root, named)].find(isThere)
  const candidates = [
    ...(packaged === undefined ? [] : [packaged]),
    ...(cached === undefined ? [] : globSync(cached, { cwd: root }).sort(byVersion).reverse()).map((file) =>
      path.join(root, file),
    ),
    ...(program === undefined ? [] : folders.filter(Boolean).map((folder) => path.join(folder, program))),
  ]
  return candidates.find(isThere)
}

const byVersion = (one: string, other: string) => one.localeCompare(other, 'en', { numeric: true })

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/**
 * The one rule for all parts: false where the part was found, otherwise the reason to skip.
 * For the options of a test: `test(name, { skip: skipUnless('nginx') }, …)`.
 *
 * @throws Error where it is missing and the environment variable DOORWARD_REQUIRE (a list) names it.
 */
export function skipUnless(part: RealPart, found = findPart(part) !== undefined): string | false {
  if (found) return false
  const reason = `no ${part} here: run scripts/install-real-parts.sh ${part}, or name one in ${places[part].variable}`
  if ((process.env.DOORWARD_REQUIRE ?? '').split(/[\s,]+/).includes(part)) throw new Error(reason)
  return reason
}

/**
 * Path of the program of a part, in a test that runs already; undefined, and the test skipped with the reason,
 * where there is none: `const nginx = requirePart(t, 'nginx'); if (nginx === undefined) return`.
 *
 * @throws Error where it is missing and DOORWARD_REQUIRE names it.
 */
export function requirePart(t: TestContext, part: RealPart): string | undefined {
  const found = findPart(part)
  const reason = skipUnless(part, found !== undefined)
  if (reason !== false) t.skip(reason)
  return found
}
