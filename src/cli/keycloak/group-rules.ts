/** How the rules of the file name groups, which has to be how Keycloak sends them. */
import type { Config, ProviderConfig, Requirements } from '../../config/config.ts'

/** Every list of groups in the rules: one of a list is enough. */
const groupLists = ({ routes }: Config): readonly (readonly string[])[] =>
  routes.flatMap(({ allow }) => (typeof allow === 'string' ? [] : listsIn(allow)))

const listsIn = ({ groups, anyOf = [], not }: Requirements): readonly (readonly string[])[] => [
  ...(groups === undefined ? [] : [groups]),
  ...[...anyOf, ...(not === undefined ? [] : [not])].flatMap(listsIn),
]

/** Whether names alone are not enough: two groups of one name have different paths. */
export const needsPaths = (config: Config, { groupPaths }: ProviderConfig): boolean =>
  groupLists(config)
    .flat()
    .some((group) => (groupPaths === 'keep' && group.startsWith('/')) || group.slice(1).includes('/'))

/** A list that nobody is in where Keycloak sends paths: none of its groups begins with a slash. Undefined: no such list. */
export function bareGroups(config: Config, { kind, groupPaths }: ProviderConfig): readonly string[] | undefined {
  if (kind !== 'keycloak' || groupPaths === 'ignore' || config.providers.length > 1) return undefined
  return groupLists(config).find((groups) => groups.length > 0 && groups.every((group) => !group.startsWith('/')))
}
