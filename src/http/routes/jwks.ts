import { GatewayError } from '../../core/errors.ts'
import { type Answer, json } from '../answer.ts'
import type { ProviderRequest } from '../own-request.ts'

/** Seconds. Tomorrow's key is among them already, so a verifier that keeps them for an hour misses none. */
const keptFor = 3600

/** `GET jwks.json`: the public keys of what we sign for applications, by any name an application calls us. */
export async function jwks({ serving }: ProviderRequest): Promise<Answer> {
  const { assertionKeys } = serving
  if (assertionKeys === undefined) throw new GatewayError('not_found', 'the file has no `assertion`: nothing is signed')
  return json(200, { keys: assertionKeys.publicKeys() }, { 'cache-control': `public, max-age=${keptFor}` })
}
