import { isIP } from 'node:net'
import type { ListenAddress } from './config.ts'
import { quoted, Refused } from './refused.ts'
import { named, reasonAndHint } from './schema-values.ts'

/** An absolute http or https address without credentials and fragment. */
export function parseHttpUrl(written: string): URL | Refused {
  const url = URL.parse(written)
  const hint = 'write it whole: https://host.example.com/path'
  if (url === null || !/^https?:\/\/[^/]/i.test(written))
    return new Refused(`${quoted(written)} is not a web address`, hint)
  if (url.username !== '' || url.password !== '') {
    return new Refused(
      'holds a user name or password',
      'remove what stands before the @; secrets have keys of their own',
    )
  }
  if (written.includes('#')) return new Refused(`${quoted(written)} holds a fragment (#)`, hint)
  return url
}

export const httpUrl = () => named('URL', parseHttpUrl)

/** An address that is an origin alone: `https://app.example.com`. */
export const origin = () =>
  named('origin URL', (written) => {
    const url = parseHttpUrl(written)
    if (url instanceof Refused) return url
    if (url.pathname !== '/' || url.search !== '') {
      return new Refused(`${quoted(written)} holds more than scheme, host and port`, `write ${url.origin}`)
    }
    return url
  })

/** As a browser's `Origin` header spells it. */
export const originText = () =>
  named('origin', (written) => {
    if (written === '*') return new Refused('"*" would let every site in', 'name the origins one by one')
    const url = parseHttpUrl(written)
    if (url instanceof Refused) return url
    if (url.pathname !== '/' || url.search !== '') {
      return new Refused(`${quoted(written)} is not an origin`, `write ${url.origin}`)
    }
    return url.origin
  })

/** An issuer, kept to the letter: it is compared with `iss` as text. */
export const issuer = () =>
  named('URL', (written) => {
    const url = parseHttpUrl(written)
    if (url instanceof Refused) return url
    if (url.search !== '')
      return new Refused(`${quoted(written)} holds a query`, 'an issuer has none (OpenID Connect Discovery 3)')
    if (written.endsWith('/.well-known/openid-configuration')) {
      const base = written.slice(0, -'/.well-known/openid-configuration'.length)
      return new Refused('is the discovery document, not the issuer', `write ${base}`)
    }
    return written
  })

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. */
export function parseNetwork(written: string): string | Refused {
  const [address = '', bits, ...rest] = written.split('/')
  const family = isIP(address)
  const hint = 'write addresses or ranges such as 10.42.0.0/16, 192.168.1.7 or fd00::/8'
  if (family === 0 || rest.length > 0) return new Refused(`${quoted(written)} is not an IP address or range`, hint)
  const most = family === 4 ? 32 : 128
  if (bits === undefined) return `${address}/${most}`
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) {
    return new Refused(`${quoted(written)} has a prefix length outside 0 to ${most}`, hint)
  }
  return `${address}/${Number(bits)}`
}

export const network = () => named('address or CIDR range', parseNetwork)

/** `host:port`, `:port`, `[::1]:port`. Port 0 lets the system choose. */
export function parseListen(written: string): ListenAddress | Refused {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]\s/]*):)?(\d{1,5})$/.exec(written)
  const hint = 'write host:port: 0.0.0.0:4180, 127.0.0.1:9180 or [::1]:4180'
  if (match === null) return new Refused(`${quoted(written)} is not an address to listen on`, hint)
  const port = Number(match[2])
  if (port > 65_535) return new Refused(`${port} is not a port`, 'ports go up to 65535')
  const host = (match[1] ?? '').replace(/^\[(.*)\]$/, '$1')
  if (match[1]?.startsWith('[') && isIP(host) !== 6)
    return new Refused(`${quoted(written)} is not an IPv6 address`, hint)
  return { host: host === '' ? '0.0.0.0' : host, port }
}

export const listenAddress = () =>
  named(
    'host:port',
    parseListen,
    reasonAndHint('is not an address to listen on', 'write host:port in quotes: "0.0.0.0:4180"'),
  )
