/** TLS on the public listener: what the file says, and the pair of certificate and key that it leads to. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import type { Secret } from '../core/secret.ts'
import type { KeyPath } from './problems.ts'
import { type Resolving, readNamedFile } from './resolving.ts'
import { plainText, secretRef } from './schema-values.ts'
import { readSecret } from './secrets.ts'
import { readShape } from './shape.ts'
import { valueAt } from './tree.ts'

/** Proven to belong together. */
export interface ListenTls {
  /** PEM: the certificate, then those between it and the authority. */
  readonly certificate: string
  /** PEM. */
  readonly key: Secret
}

export const listenTlsSchema = z.strictObject({
  certificate: plainText().meta({
    description: 'PEM file with the certificate, then those between it and the authority. Watched.',
    examples: ['/run/secrets/tls.crt'],
  }),
  key: secretRef().meta({
    description: 'Private key of the certificate in PEM, without a passphrase.',
    examples: [{ file: '/run/secrets/tls.key' }],
  }),
})

const largestChain = 256 * 1024

/** Undefined where the file does not ask for TLS, or names a pair that does not work. */
export function resolveListenTls(context: Resolving, publicUrls: readonly URL[]): ListenTls | undefined {
  const { content, problems } = context
  if (valueAt(content, ['tls']) === undefined) return undefined
  if (publicUrls.some(({ protocol }) => protocol === 'http:')) {
    problems.add(['tls'], 'is set, and publicUrl says http', 'write publicUrl with https, or remove tls')
  }
  const shape = readShape(listenTlsSchema, content, ['tls'], problems)
  if (shape === undefined) return undefined
  const certificate = readNamedFile(shape.certificate, ['tls', 'certificate'], largestChain, context)?.toString('utf8')
  const key = readSecret(shape.key, ['tls', 'key'], context)
  if (certificate === undefined || key === undefined) return undefined
  const fault = faultOf(certificate, key)
  if (fault !== undefined) {
    problems.add(fault.at, fault.message, fault.hint)
    return undefined
  }
  warnAbout(new X509Certificate(certificate), publicUrls, context)
  return { certificate, key }
}

interface Fault {
  readonly at: KeyPath
  readonly message: string
  readonly hint: string
}

/** OpenSSL's own words stay out: some of them quote the file. */
function faultOf(certificate: string, key: Secret): Fault | undefined {
  const leaf = attempt(() => new X509Certificate(certificate))
  if (leaf === undefined) {
    const hint = 'name a file that begins with -----BEGIN CERTIFICATE-----'
    return { at: ['tls', 'certificate'], message: 'is not a certificate in PEM', hint }
  }
  const privateKey = attempt(() => createPrivateKey(key.reveal()))
  if (privateKey === undefined) {
    const hint = 'name a file that begins with -----BEGIN PRIVATE KEY-----, without a passphrase'
    return { at: ['tls', 'key'], message: 'is not a private key in PEM', hint }
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    const hint = 'name the two of one pair, and the certificate of this host first in its file'
    return { at: ['tls', 'key'], message: 'does not belong to the first certificate of tls.certificate', hint }
  }
  if (attempt(() => createSecureContext({ cert: certificate, key: key.reveal() })) !== undefined) return undefined
  const hint = 'ask for a new one: RSA of 2048 bits or more, or P-256, signed with SHA-256'
  return { at: ['tls', 'certificate'], message: 'is too weak for OpenSSL, or its chain is broken', hint }
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

/** Browsers will complain, and yet it is better to serve than to stop: a renewal may be on its way. */
function warnAbout(leaf: X509Certificate, publicUrls: readonly URL[], { warnings }: Resolving): void {
  const at = ['tls', 'certificate']
  if (Date.parse(leaf.validTo) < Date.now()) warnings.add(at, `expired on ${leaf.validTo}`, 'renew it')
  for (const { hostname } of publicUrls) {
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) continue
    warnings.add(at, `is not for ${host}, which publicUrl names`, 'browsers will refuse it')
  }
}
