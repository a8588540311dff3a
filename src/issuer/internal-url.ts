/**
 * Which address a server-to-server call really goes to. The issuer stays what tokens say; `internalUrl` names the
 * same server, or the same realm, as seen from here (a cluster's service name).
 */
export function internalAddress(url: URL, issuer: URL, internalUrl: URL | undefined): URL {
  if (internalUrl === undefined || url.origin !== issuer.origin) return url
  const publicBase = withoutSlash(issuer.pathname)
  const internalBase = internalIssuerPath(publicBase, withoutSlash(internalUrl.pathname))
  const isBelowIssuer = url.pathname === publicBase || url.pathname.startsWith(`${publicBase}/`)
  const path = isBelowIssuer ? internalBase + url.pathname.slice(publicBase.length) : url.pathname
  // Never resolved as a reference: `//host/x` would be one to another server.
  const address = new URL(internalUrl)
  address.pathname = path
  address.search = url.search
  address.hash = ''
  return address
}

/**
 * The issuer's path on the internal server. `internalUrl` without a path, or with the front part of the issuer's
 * path, changes the origin alone; one that ends like the issuer replaces the whole path (a proxy strips a prefix
 * in public); any other path is put in front.
 */
function internalIssuerPath(publicBase: string, internalPath: string): string {
  if (`${publicBase}/`.startsWith(`${internalPath}/`)) return publicBase
  const realm = /\/realms\/[^/]+$/.exec(publicBase)?.[0]
  if (realm !== undefined && internalPath.endsWith(realm)) return internalPath
  return internalPath + publicBase
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, '')
