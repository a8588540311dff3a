/** What a mapper of Keycloak does for us: `setup` and `doctor` judge by these rules alone. */
import type { MapperRepresentation } from './representations.ts'

/**
 * `does`: it puts the claim into something the gateway reads. `bare`: it does, without the paths that rules ask for.
 * `off`: it is meant for it, and switched off for all of that. `other`: it is for something else.
 */
export type MapperJudgement = 'does' | 'bare' | 'off' | 'other'

type Place = 'id' | 'access' | 'userinfo'

const isOn = ({ config }: MapperRepresentation, ...places: readonly Place[]): boolean =>
  places.some((place) => config?.[`${place}.token.claim`] === 'true')

/** A dot in the name of a claim is written escaped, or it would make an object. */
export const escapedClaim = (claim: string): string => claim.replaceAll('.', '\\.')
const claimOf = ({ config }: MapperRepresentation): string | undefined => config?.['claim.name']?.replaceAll('\\.', '.')

export const groupMembership = 'oidc-group-membership-mapper'
export const audienceKind = 'oidc-audience-mapper'

/**
 * Any mapper that writes the claim will do: group membership, roles under another name, a script.
 * @param needsPaths rules of the file name groups by their path
 */
export function judgeGroups(found: MapperRepresentation, claim: string, needsPaths: boolean): MapperJudgement {
  if (claimOf(found) !== claim) return 'other'
  const isGroups = found.protocolMapper === groupMembership
  if (!isOn(found, 'id', 'access', 'userinfo')) return isGroups ? 'off' : 'other'
  return isGroups && needsPaths && !sendsPaths(found) ? 'bare' : 'does'
}

export const sendsPaths = ({ config }: MapperRepresentation): boolean => config?.['full.path'] === 'true'

/** Where a claim of ours is a note of the session, such as `identity_provider`. */
export function judgeNote(found: MapperRepresentation, claim: string): MapperJudgement {
  if (claimOf(found) !== claim) return 'other'
  return isOn(found, 'id', 'access', 'userinfo') ? 'does' : 'off'
}

/** Keycloak writes the client where both are given. */
export function judgeAudience(found: MapperRepresentation, audience: string): MapperJudgement {
  const { protocolMapper, config = {} } = found
  const written = config['included.client.audience'] || config['included.custom.audience']
  if (protocolMapper !== audienceKind || written !== audience) return 'other'
  return isOn(found, 'access') ? 'does' : 'off'
}
