import { GatewayError } from '../core/errors.ts'
import { ambiguityOf } from '../core/target.ts'

export interface PathRewrite {
  readonly stripPrefix: string | undefined
  readonly addPrefix: string
}

/**
 * The path for the upstream: `stripPrefix` off, `addPrefix` on. The result is judged again, so that rewriting
 * cannot make an address that the rules would have refused (CVE-2021-21322 was a prefix escape).
 *
 * A path that does not start with `stripPrefix` keeps what it has. The prefix is compared without case because
 * restricting routes are matched so.
 *
 * @param path `Target.path`: normalised, starting with a slash
 * @throws GatewayError `ambiguous_path`
 */
export function upstreamPath(path: string, { stripPrefix, addPrefix }: PathRewrite): string {
  if (stripPrefix === undefined && addPrefix === '') return path
  const rest = stripPrefix === undefined ? path : withoutPrefix(path, stripPrefix)
  const result = addPrefix === '' ? rest : withoutSlash(addPrefix) + rest
  const wrong = result.startsWith('/') ? ambiguityOf(result) : 'no leading slash'
  if (wrong !== undefined) throw new GatewayError('ambiguous_path', `the path for the upstream holds ${wrong}`)
  return result
}

function withoutPrefix(path: string, stripPrefix: string): string {
  const prefix = withoutSlash(stripPrefix)
  if (path.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) return path
  const rest = path.slice(prefix.length)
  if (rest === '') return '/'
  return rest.startsWith('/') ? rest : path
}

const withoutSlash = (prefix: string): string => (prefix.endsWith('/') ? prefix.slice(0, -1) : prefix)

/**
 * The way back, for Location: an address at the upstream's own origin becomes the public one, which neither
 * leaks an internal name nor sends the browser where it cannot go. Other addresses pass untouched.
 *
 * @param origin of the upstream, as `URL.origin` spells it
 */
export function publicAddress(address: string, origin: string, publicOrigin: string, rewrite: PathRewrite): string {
  if (address.slice(0, origin.length).toLowerCase() !== origin) return address
  const rest = address.slice(origin.length)
  if (rest !== '' && !/^[/?#]/.test(rest)) return address
  const path = rest.startsWith('/') ? rest : `/${rest}`
  const added = withoutSlash(rewrite.addPrefix)
  const inner = added !== '' && (path === added || path.startsWith(`${added}/`)) ? path.slice(added.length) : path
  return publicOrigin + withoutSlash(rewrite.stripPrefix ?? '') + (inner === '' ? '/' : inner)
}
