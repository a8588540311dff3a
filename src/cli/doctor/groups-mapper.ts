/** Whether groups reach the tokens, and in the words of the rules. */
import { bareGroups, needsPaths } from '../keycloak/group-rules.ts'
import { groupMembership, judgeGroups, sendsPaths } from '../keycloak/mapper-judges.ts'
import type { ScopeRepresentation } from '../keycloak/representations.ts'
import type { Finding } from './finding.ts'
import type { Settings } from './keycloak-settings.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { routesNeed } from './route-needs.ts'

/** By the mappers at Keycloak. */
export function groupsFindings(visit: ProviderVisit, { client, scopes, unasked }: Settings): readonly Finding[] {
  const { config, provider } = visit
  if (!routesNeed(config, 'groups')) return []
  const paths = needsPaths(config, provider)
  const mappers = [client, ...scopes].flatMap(({ protocolMappers = [] }) => protocolMappers)
  const judge = (mapper: (typeof mappers)[number]) => judgeGroups(mapper, provider.groupsClaim, paths)
  const writing = mappers.filter((mapper) => judge(mapper) === 'does')
  if (writing.length === 0) {
    if (mappers.some((mapper) => judge(mapper) === 'bare')) return [pathOff(visit)]
    const optional = unasked.find(({ protocolMappers = [] }) => protocolMappers.some((one) => judge(one) === 'does'))
    return [mapperMissing(visit, optional)]
  }
  const bare = bareGroups(config, provider)
  const allPaths = writing.every((mapper) => mapper.protocolMapper === groupMembership && sendsPaths(mapper))
  return bare !== undefined && allPaths ? [ruleWithoutPath(visit, bare)] : []
}

/** By the groups that came with a real person. */
export function groupSpelling(visit: ProviderVisit, groups: readonly string[]): readonly Finding[] {
  const { config, provider } = visit
  if (groups.length === 0 || provider.groupPaths === 'ignore') return []
  const isPath = (group: string) => group.startsWith('/')
  if (needsPaths(config, provider) && !groups.some(isPath)) return [pathOff(visit)]
  const bare = bareGroups(config, provider)
  return bare !== undefined && groups.every(isPath) ? [ruleWithoutPath(visit, bare)] : []
}

function mapperMissing({ provider, key }: ProviderVisit, optional: ScopeRepresentation | undefined): Finding {
  const { clientId, groupsClaim } = provider
  const where =
    optional === undefined ? '' : `; the client scope ${optional.name} has it, and is optional and not asked for`
  return {
    name: 'groups-mapper-missing',
    severity: 'error',
    place: key('groupsClaim'),
    cause: `routes ask for groups, and no token of ${clientId} holds the claim “${groupsClaim}”: nobody passes${where}`,
    fix:
      optional === undefined
        ? `add a mapper “Group Membership” to the client with the token claim name ${groupsClaim}, full group path on, in the ID token`
        : `make ${optional.name} a default scope of the client, or add it to ${key('scopes')}`,
  }
}

const pathOff = ({ provider, key }: ProviderVisit): Finding => ({
  name: 'groups-path-off',
  severity: 'error',
  place: key('groupsClaim'),
  cause: `rules name groups by their path, and Keycloak sends the claim “${provider.groupsClaim}” without: nobody passes`,
  fix: 'turn “Full group path” on in the mapper of the groups',
})

const ruleWithoutPath = ({ key }: ProviderVisit, [group = '']: readonly string[]): Finding => ({
  name: 'groups-rule-without-path',
  severity: 'error',
  place: key('groupPaths'),
  cause: `a rule names the group ${group}, and Keycloak sends paths, such as /${group}: nobody passes`,
  fix: `write /${group} in the rule, or \`groupPaths: ignore\` at the provider`,
})
