/** Which secrets a process has loaded, in a way that can be compared and never read: for /status and the doctor. */
import type { ClientAuthConfig, Config } from '../config/config.ts'
import type { Secret } from '../core/secret.ts'
import { createSealingKeys } from '../keys/sealing.ts'
import { createFingerprint } from '../keys/secret-fingerprint.ts'

type WithSecrets = Pick<Config, 'session' | 'providers' | 'redis' | 'assertion' | 'routes'>

/**
 * Fingerprints by place in the file. None for a key made up at the start: it is in no file, and without a key that
 * both sides know the others would be open to guessing.
 */
export function secretFingerprints(config: WithSecrets): Readonly<Record<string, string>> {
  const { secrets, ephemeral } = config.session
  const [first] = secrets
  if (ephemeral || first === undefined) return {}
  const fingerprint = createFingerprint(first)
  const ids = createSealingKeys(secrets).fingerprint()
  return Object.fromEntries([
    ...ids.map(({ keyId }, index) => [index === 0 ? 'session.secret' : `session.secret[${index}]`, keyId]),
    ...otherSecrets(config).map(([place, secret]) => [place, fingerprint(place, secret)]),
  ])
}

function otherSecrets({ providers, redis, assertion, routes }: WithSecrets): readonly (readonly [string, Secret])[] {
  const places: (readonly [string, Secret | undefined])[] = [
    ...providers.map(({ name, clientAuth }) => [clientPlace(name, clientAuth), secretOf(clientAuth)] as const),
    ['redis.password', redis?.password],
    ['redis.sentinels.password', redis?.topology.kind === 'sentinel' ? redis.topology.password : undefined],
    ...(assertion?.keys ?? []).map((key, index) => [`assertion.keys[${index}]`, key] as const),
    ...routes.map(
      ({ headers }, index) => [`routes[${index}].basicAuth.password`, headers.basicAuth?.password] as const,
    ),
  ]
  return places.flatMap(([place, secret]) => (secret === undefined ? [] : [[place, secret] as const]))
}

function clientPlace(name: string, { method }: ClientAuthConfig): string {
  const provider = name === 'default' ? 'provider' : `providers.${name}`
  return `${provider}.${method === 'private_key_jwt' ? 'clientAuth.key' : 'clientSecret'}`
}

function secretOf(clientAuth: ClientAuthConfig): Secret | undefined {
  if (clientAuth.method === 'none') return undefined
  return clientAuth.method === 'private_key_jwt' ? clientAuth.key : clientAuth.secret
}
