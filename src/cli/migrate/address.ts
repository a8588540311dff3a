/** Web addresses as they are written, variables and all: `https://${DOMAIN}/oauth2/callback`. */

export interface Address {
  /** Scheme, host and port; without a user and a password. */
  readonly origin: string
  readonly host: string
  readonly pathname: string
  /** A user or a password stood in it. */
  readonly hasCredentials: boolean
}

/** Of http and https. Undefined for anything else. */
export function readAddress(written: string): Address | undefined {
  if (!written.includes('${')) {
    const url = URL.parse(written)
    if (url === null || !/^https?:$/.test(url.protocol)) return undefined
    const { origin, host, pathname, username, password } = url
    return { origin, host, pathname, hasCredentials: username + password !== '' }
  }
  // A host is read in small letters, and the name of a variable is not.
  const match = /^(https?:\/\/)([^/?#\s]*@)?((?:\$\{[^{}\s]*\}|[\w.:[\]-])+)(\/[^?#\s]*)?$/.exec(written)
  if (match === null) return undefined
  const [, scheme = '', user = '', host = '', pathname = '/'] = match
  return { origin: scheme + host, host, pathname, hasCredentials: user !== '' }
}
