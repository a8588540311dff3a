import path from 'node:path'
import type { ImpersonateConfig } from './config.ts'
import type { KeyPath } from './problems.ts'
import type { Resolving } from './resolving.ts'
import type { impersonateSchema } from './schema-impersonate.ts'

type Shape = ReturnType<typeof impersonateSchema.parse>

/** The token file is no part of the configuration: it changes every hour, and nothing has to be reloaded for it. */
export function resolveImpersonate(at: KeyPath, shape: Shape, { directory, problems }: Resolving): ImpersonateConfig {
  for (const key of Object.keys(shape.extra)) {
    if (key !== '' && key === key.toLowerCase()) continue
    problems.add(
      [...at, 'extra', key],
      'is not in lower case',
      'Kubernetes reads these keys in lower case: write it so',
    )
  }
  return {
    tokenFile: path.resolve(directory, shape.tokenFile),
    user: shape.user,
    uid: shape.uid,
    groups: shape.groups,
    groupsPrefix: shape.groupsPrefix,
    extra: Object.entries(shape.extra).map(([key, parts]) => ({ name: `Impersonate-Extra-${headerPart(key)}`, parts })),
    allowSystem: shape.allowSystem,
  }
}

/** As client-go spells a key: what no header name may hold, and the percent sign, becomes percent-encoded UTF-8. */
const headerPart = (key: string): string =>
  Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte)
    return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
  }).join('')
