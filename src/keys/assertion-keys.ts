/** Owns the keys that sign what we say of a person to an application (ES256, RFC 7518 3.4), and their rotation. */
import { createECDH, createHash, createPrivateKey, hkdfSync, type KeyObject, sign } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import type { Secret } from '../core/secret.ts'

export interface AssertionKeys {
  /** A signed JWT (RFC 7519) with the key of the moment. Synchronous; some 50 microseconds. */
  sign(claims: Readonly<Record<string, unknown>>): string
  /** The public keys as a JWK set (RFC 7517): the one that signs, those before it, and the next one. */
  publicKeys(): readonly PublicJwk[]
}

export interface PublicJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly use: 'sig'
  readonly alg: 'ES256'
  /** RFC 7638 thumbprint. */
  readonly kid: string
}

/** Milliseconds one made key signs. Its neighbours in time are published too, so nobody meets a key they cannot find. */
const period = 24 * 3_600_000

interface SigningKey {
  readonly privateKey: KeyObject
  readonly jwk: PublicJwk
}

/**
 * Keys made from the gateway's own secrets and the day: all replicas have the same ones without a word between them,
 * and a restart changes nothing. The first secret signs; the keys of all are published, so that a rotation overlaps.
 */
export function deriveAssertionKeys(secrets: readonly Secret[], clock: Clock): AssertionKeys {
  const made = new Map<string, SigningKey>()
  const keyOf = (index: number, day: number): SigningKey => {
    const name = `${index} ${day}`
    const known = made.get(name)
    if (known !== undefined) return known
    const key = signingKeyOf(scalarOf(secrets[index]!, day))
    made.set(name, key)
    return key
  }
  const today = (): number => Math.floor(clock.now() / period)
  return {
    sign: (claims) => signJwt(keyOf(0, today()), claims),
    publicKeys() {
      const day = today()
      for (const name of made.keys()) if (Number(name.split(' ')[1]) < day - 1) made.delete(name)
      return secrets.flatMap((_, index) => [day, day - 1, day + 1].map((at) => keyOf(index, at).jwk))
    },
  }
}

/**
 * Keys of files: the first signs, all are published.
 * @param pems P-256 private keys, PKCS#8 or SEC1
 * @throws Error naming which one is no such key
 */
export function fixedAssertionKeys(pems: readonly Secret[]): AssertionKeys {
  const keys = pems.map((pem, index) => {
    const privateKey = readPrivateKey(pem, index)
    return { privateKey, jwk: publicJwkOf(privateKey) }
  })
  const [first] = keys
  if (first === undefined) throw new Error('signing needs at least one key')
  return { sign: (claims) => signJwt(first, claims), publicKeys: () => keys.map(({ jwk }) => jwk) }
}

function readPrivateKey(pem: Secret, index: number): KeyObject {
  try {
    const key = createPrivateKey(pem.reveal())
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    // The reason could quote the key.
  }
  throw new Error(`key ${index + 1} is not a P-256 private key in PEM; openssl ecparam -genkey -name prime256v1 -noout`)
}

/** Order of the group of P-256 (FIPS 186-5). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** A private number in [1, order), by "extra random bits" (FIPS 186-5 A.2.1): 64 bits more than needed leave no bias. */
function scalarOf(secret: Secret, day: number): Buffer {
  const bytes = hkdfSync('sha256', secret.reveal().trim(), 'doorward', `assertion key ${day}`, 40)
  const number = (BigInt(`0x${Buffer.from(bytes).toString('hex')}`) % (order - 1n)) + 1n
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
}

function signingKeyOf(scalar: Buffer): SigningKey {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  const point = curve.getPublicKey()
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  const jwk = { kty: 'EC', crv: 'P-256', x, y, d: scalar.toString('base64url') }
  return { privateKey: createPrivateKey({ key: jwk, format: 'jwk' }), jwk: publicJwk(x, y) }
}

function publicJwkOf(privateKey: KeyObject): PublicJwk {
  const { x, y } = privateKey.export({ format: 'jwk' })
  if (x === undefined || y === undefined) throw new Error('a key without a point')
  return publicJwk(x, y)
}

const publicJwk = (x: string, y: string): PublicJwk => ({
  kty: 'EC',
  crv: 'P-256',
  x,
  y,
  use: 'sig',
  alg: 'ES256',
  kid: createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url'),
})

function signJwt({ privateKey, jwk }: SigningKey, claims: Readonly<Record<string, unknown>>): string {
  const head = encode({ alg: 'ES256', kid: jwk.kid, typ: 'JWT' })
  const text = `${head}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
