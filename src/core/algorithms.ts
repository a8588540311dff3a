/**
 * Signature algorithms of JWTs (RFC 7518 3.1, RFC 9864) that we accept anywhere: asymmetric ones. A symmetric key shared
 * with a provider would let its tokens be forged by whoever reads our configuration.
 */
export const asymmetricAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

export const isAsymmetric = (algorithm: string): boolean => asymmetricAlgorithms.some((one) => one === algorithm)
