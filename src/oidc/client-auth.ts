/** How we prove to the token endpoint that we are the client (OpenID Connect Core 9). */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { type CryptoKey, importJWK } from 'jose'
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None, PrivateKeyJwt } from 'openid-client'
import type { ClientAuthConfig } from '../config/config.ts'
import type { Secret } from '../core/secret.ts'
import { isJsonObject } from '../core/strict-json.ts'

/**
 * Checks the key at once and imports it when first used.
 * @throws Error where the private key cannot be read; the message does not hold it
 */
export function createClientAuth(config: ClientAuthConfig): () => Promise<ClientAuth> {
  switch (config.method) {
    case 'client_secret_basic':
      return async () => ClientSecretBasic(config.secret.reveal())
    case 'client_secret_post':
      return async () => ClientSecretPost(config.secret.reveal())
    case 'none':
      return async () => None()
    case 'private_key_jwt': {
      const { key, keyId } = readPrivateKey(config.key)
      const algorithm = config.algorithm ?? algorithmFor(key)
      const kid = config.keyId ?? keyId
      let imported: Promise<CryptoKey> | undefined
      return async () => {
        imported ??= importPrivateKey(key, algorithm)
        return PrivateKeyJwt({ key: await imported, ...(kid !== undefined && { kid }) })
      }
    }
  }
}

/**
 * What the provider has to know of the key of `private_key_jwt` (RFC 7517 4): its public half, `use`, `alg`, and the
 * `kid` that our assertions name.
 * @throws Error where the private key cannot be read; the message does not hold it
 */
export function publicJwkOf(config: Extract<ClientAuthConfig, { method: 'private_key_jwt' }>) {
  const { key, keyId } = readPrivateKey(config.key)
  const kid = config.keyId ?? keyId
  return {
    ...createPublicKey(key).export({ format: 'jwk' }),
    use: 'sig',
    alg: config.algorithm ?? algorithmFor(key),
    ...(kid !== undefined && { kid }),
  }
}

function readPrivateKey(secret: Secret): { key: KeyObject; keyId?: string } {
  const text = secret.reveal().trim()
  try {
    if (!text.startsWith('{')) return { key: createPrivateKey(text) }
    const jwk: unknown = JSON.parse(text)
    if (!isJsonObject(jwk)) throw new TypeError('not an object')
    const key = createPrivateKey({ key: jwk, format: 'jwk' })
    return { key, ...(typeof jwk.kid === 'string' && { keyId: jwk.kid }) }
  } catch {
    // The cause is left out: it may quote the key.
    throw new Error('the private key of private_key_jwt is neither PEM nor a private JWK')
  }
}

async function importPrivateKey(key: KeyObject, algorithm: string): Promise<CryptoKey> {
  const imported = await importJWK(key.export({ format: 'jwk' }), algorithm)
  if (imported instanceof Uint8Array) throw new Error('the private key of private_key_jwt is symmetric')
  return imported
}

function algorithmFor(key: KeyObject): string {
  const curves: Record<string, string> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  return (curve === undefined ? undefined : curves[curve]) ?? 'RS256'
}
