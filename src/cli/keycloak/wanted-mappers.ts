/** The mappers that put into tokens what the file reads from them. */
import type { Config, ProviderConfig } from '../../config/config.ts'
import { accountKindClaim } from '../../core/account-kind.ts'
import { needsPaths } from './group-rules.ts'
import {
  audienceKind,
  escapedClaim,
  groupMembership,
  judgeAudience,
  judgeGroups,
  judgeNote,
  type MapperJudgement,
} from './mapper-judges.ts'
import type { MapperRepresentation } from './representations.ts'

export interface WantedMapper {
  /** For people: what tokens get by it. */
  readonly what: string
  readonly mapper: MapperRepresentation
  /** Whether another mapper does it as well, or would with the settings of ours (`bare`, `off`). */
  judge(found: MapperRepresentation): MapperJudgement
}

export interface MapperStep {
  readonly kind: 'add' | 'repair'
  readonly what: string
  /** With the id of the one to repair. */
  readonly mapper: MapperRepresentation
}

export const wantedMappers = (config: Config, provider: ProviderConfig): readonly WantedMapper[] => [
  groupsMapper(config, provider),
  ...audiencesOf(config, provider).map(audienceMapper),
  // Where a person signed in through a broker; Keycloak keeps it in the session and puts it into no token by itself.
  ...(provider.claimsKept.includes(accountKindClaim) ? [identityProviderMapper] : []),
]

/** `own` can be repaired; `shared` ones of client scopes belong to other clients too and are only looked at. */
export function mapperSteps(
  wanted: readonly WantedMapper[],
  own: readonly MapperRepresentation[],
  shared: readonly MapperRepresentation[],
): MapperStep[] {
  return wanted.flatMap(({ what, mapper, judge }): MapperStep[] => {
    if ([...own, ...shared].some((found) => judge(found) === 'does')) return []
    const broken = own.find((found) => isBroken(judge(found)))
    if (broken !== undefined)
      return [{ kind: 'repair', what, mapper: { ...broken, config: { ...broken.config, ...mapper.config } } }]
    // A second mapper for one claim leaves open which of them wins.
    if (sharedFault({ what, mapper, judge }, shared) !== undefined) return []
    const isTaken = own.some(({ name }) => name === mapper.name)
    return [{ kind: 'add', what, mapper: isTaken ? { ...mapper, name: `doorward ${mapper.name}` } : mapper }]
  })
}

/** The mapper of a client scope that is meant for it and does not do it: to be repaired by hand. */
export const sharedFault = ({ judge }: WantedMapper, shared: readonly MapperRepresentation[]) =>
  shared.find((found) => isBroken(judge(found)))

const isBroken = (judgement: MapperJudgement): boolean => judgement === 'bare' || judgement === 'off'

function groupsMapper(config: Config, provider: ProviderConfig): WantedMapper {
  const { groupsClaim } = provider
  const paths = needsPaths(config, provider)
  return {
    what: `the groups of a person as the claim ${groupsClaim}, with their full path`,
    mapper: {
      name: 'groups',
      protocol: 'openid-connect',
      protocolMapper: groupMembership,
      config: {
        'claim.name': escapedClaim(groupsClaim),
        'full.path': 'true',
        'id.token.claim': 'true',
        'access.token.claim': 'true',
        'userinfo.token.claim': 'true',
        'introspection.token.claim': 'true',
      },
    },
    judge: (found) => judgeGroups(found, groupsClaim, paths),
  }
}

const identityProviderMapper: WantedMapper = {
  what: 'the identity provider a person came through, as the claim identity_provider',
  mapper: {
    name: accountKindClaim,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-usersessionmodel-note-mapper',
    config: {
      'user.session.note': accountKindClaim,
      'claim.name': accountKindClaim,
      'jsonType.label': 'String',
      'id.token.claim': 'true',
      'access.token.claim': 'true',
      'userinfo.token.claim': 'true',
      'introspection.token.claim': 'true',
    },
  },
  judge: (found) => judgeNote(found, accountKindClaim),
}

function audienceMapper(audience: string): WantedMapper {
  return {
    what: `${audience} as an audience of access tokens`,
    mapper: {
      name: `audience ${audience}`,
      protocol: 'openid-connect',
      protocolMapper: audienceKind,
      config: {
        'included.custom.audience': audience,
        'id.token.claim': 'false',
        'access.token.claim': 'true',
        'introspection.token.claim': 'true',
      },
    },
    judge: (found) => judgeAudience(found, audience),
  }
}

/** Audiences that bearer tokens of this realm need. */
export const audiencesOf = ({ bearer }: Config, { issuer }: ProviderConfig): readonly string[] => [
  ...new Set(bearer.filter((entry) => entry.issuer === issuer).flatMap(({ audience }) => audience)),
]
