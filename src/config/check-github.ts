/** What a provider of kind `github` may say, and what means nothing to it. */
import type { KeyPath } from './problems.ts'
import type { Resolving } from './resolving.ts'
import type { providerSchema } from './schema-provider.ts'
import { keysOf, valueAt } from './tree.ts'

export const gitHubIssuer = 'https://github.com'
/** Who it is, the verified address, organisations and teams. GitHub Apps take their permissions instead. */
export const gitHubScopes = ['read:user', 'user:email', 'read:org'] as const

/** Of OpenID Connect alone. */
const meaningless = [
  'jwksUrl',
  'endpoints',
  'clientAuth',
  'groupsClaim',
  'groupPaths',
  'accountKinds',
  'trustUnverifiedEmail',
] as const satisfies readonly (keyof typeof providerSchema.shape)[]

type Shape = ReturnType<typeof providerSchema.parse>

export function checkGitHubKeys(path: KeyPath, shape: Shape, { content, problems }: Resolving): void {
  if (shape.kind !== 'github') {
    if (shape.allowedOrgs === undefined) return
    const hint = 'name groups or claims under allow in the routes, or allowedEmails here'
    problems.add([...path, 'allowedOrgs'], 'are organisations of GitHub, and this is another kind of provider', hint)
    return
  }
  const written = keysOf(valueAt(content, path))
  for (const key of meaningless.filter((name) => written.includes(name))) {
    problems.add([...path, key], 'means nothing to GitHub, which does not speak OpenID Connect', 'remove it')
  }
  if (shape.clientSecret === undefined && problems.clean([...path, 'clientSecret'])) {
    const hint = 'generate one at GitHub, and add clientSecret: { file: /run/secrets/client-secret }'
    problems.add(path, 'GitHub signs nobody in without a clientSecret', hint)
  }
  checkScopes(path, shape, written, { problems })
}

/** A list that nobody may read is a rule that nobody meets. */
function checkScopes(
  path: KeyPath,
  { scopes, allowedOrgs, allowedEmails }: Shape,
  written: readonly string[],
  { problems }: Pick<Resolving, 'problems'>,
): void {
  if (!written.includes('scopes')) return
  const needs = [
    ['allowedOrgs', allowedOrgs, 'read:org'],
    ['allowedEmails', allowedEmails, 'user:email'],
  ] as const
  for (const [key, list, scope] of needs) {
    if (list === undefined || scopes.includes(scope)) continue
    problems.add([...path, 'scopes'], `do not hold ${scope}, which ${key} needs`, `add ${scope}`)
  }
}
