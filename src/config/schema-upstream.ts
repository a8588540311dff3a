import { z } from 'zod'
import { quoted, Refused } from './refused.ts'
import { parseHttpUrl } from './schema-addresses.ts'
import { byteSize, duration } from './schema-quantities.ts'
import { choice, named, plainText, text, wholeNumber } from './schema-values.ts'

/** The written address: a server, or a unix socket. */
export interface UpstreamAddress {
  readonly url: URL
  readonly socketPath: string | undefined
}

/** `http://...`, `https://...` or `unix:/path/to.sock`. */
export function parseUpstreamAddress(written: string): UpstreamAddress | Refused {
  if (written.startsWith('unix:')) {
    const socketPath = written.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
    if (socketPath.startsWith('/') && socketPath.length > 1) return { url: new URL('http://localhost/'), socketPath }
    return new Refused(`${quoted(written)} is not a socket address`, 'write unix:/path/to.sock, absolute')
  }
  const url = parseHttpUrl(written)
  if (url instanceof Refused) {
    const looksBare = /^[\w.-]+(?::\d+)?(?:\/|$)/.test(written)
    return looksBare ? new Refused(`${quoted(written)} has no scheme`, `did you mean http://${written}?`) : url
  }
  if (url.search !== '')
    return new Refused(`${quoted(written)} holds a query`, 'write scheme, host, port and perhaps a path')
  return { url, socketPath: undefined }
}

const address = () => named('URL', parseUpstreamAddress)

/** A path prefix without its trailing slash. */
const prefix = () =>
  text((written) => {
    const trimmed = written.replace(/\/+$/, '')
    const plain = /^(?:\/[\w.~!$&'()+,=:@-]+)+$/.test(trimmed) && !/\/\.{1,2}(?:\/|$)/.test(trimmed)
    return plain
      ? trimmed
      : new Refused(`${quoted(written)} is not a path prefix`, 'write it with a leading slash: /app')
  })

const upstreamObject = z.strictObject({
  url: address().meta({
    description: '`http://host:port`, `https://host`, or `unix:/path/to.sock`.',
    examples: ['http://127.0.0.1:3000'],
  }),
  stripPrefix: prefix()
    .optional()
    .meta({ description: 'Removed from the front of the path.', examples: ['/grafana'] }),
  addPrefix: prefix()
    .optional()
    .meta({ description: 'Put in front of the path, after `stripPrefix`.', examples: ['/app'] }),
  host: choice(['keep', 'rewrite']).prefault('keep').meta({
    description:
      "Host header for the upstream: `keep` the one the browser sent, or `rewrite` it to the upstream's own.",
  }),
  ca: plainText().optional().meta({ description: 'PEM file with the certificate authorities of the upstream.' }),
  clientCertificate: z
    .strictObject({
      cert: plainText().meta({ description: 'PEM file with the certificate.' }),
      key: plainText().meta({ description: 'PEM file with its private key.' }),
    })
    .optional()
    .meta({ description: 'Certificate this gateway shows to the upstream (mutual TLS). Both files are watched.' }),
  connectTimeout: duration({ least: 10 }).prefault('5s').meta({ description: 'Time to connect.' }),
  headersTimeout: duration({ least: 10 })
    .prefault('60s')
    .meta({ description: 'Time until the upstream starts to answer; then 504.' }),
  bodyTimeout: duration().prefault('60s').meta({
    description: 'Time between two pieces of an answer; `0s`: no limit. Event streams and websockets have none.',
  }),
  maxBody: byteSize().prefault('100MiB').meta({ description: 'Largest request body; more is answered with 413.' }),
  connections: wholeNumber(1, 10_000).prefault(128).meta({ description: 'Connections kept to the upstream.' }),
})

/** A bare address means all defaults. */
export const upstreamSchema = z.union([
  address().transform((url) => ({ ...upstreamObject.parse({ url: 'http://localhost' }), url })),
  upstreamObject,
])
