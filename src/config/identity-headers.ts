import type { HeaderTemplate, TemplatePart } from './headers-config.ts'

const part = (kind: 'sub' | 'username' | 'email' | 'name' | 'groups'): readonly TemplatePart[] => [{ kind }]
const header = (name: string, kind: Parameters<typeof part>[0]): HeaderTemplate => ({ name, parts: part(kind) })

/** Header sets by the value of `identityHeaders`, so that an application set up for another gateway need not change. */
export const identityHeaders = {
  default: [
    header('X-Auth-User', 'username'),
    header('X-Auth-Subject', 'sub'),
    header('X-Auth-Email', 'email'),
    header('X-Auth-Groups', 'groups'),
  ],
  // oauth2-proxy: `--pass-user-headers` (X-Forwarded-*) and `--set-xauthrequest` (X-Auth-Request-*).
  'oauth2-proxy': [
    header('X-Forwarded-User', 'sub'),
    header('X-Forwarded-Email', 'email'),
    header('X-Forwarded-Groups', 'groups'),
    header('X-Forwarded-Preferred-Username', 'username'),
    header('X-Auth-Request-User', 'sub'),
    header('X-Auth-Request-Email', 'email'),
    header('X-Auth-Request-Groups', 'groups'),
    header('X-Auth-Request-Preferred-Username', 'username'),
  ],
  authelia: [
    header('Remote-User', 'username'),
    header('Remote-Groups', 'groups'),
    header('Remote-Name', 'name'),
    header('Remote-Email', 'email'),
  ],
  authentik: [
    header('X-authentik-username', 'username'),
    header('X-authentik-groups', 'groups'),
    header('X-authentik-email', 'email'),
    header('X-authentik-name', 'name'),
    header('X-authentik-uid', 'sub'),
  ],
  none: [],
} satisfies Record<string, readonly HeaderTemplate[]>

export type IdentityHeaderSet = keyof typeof identityHeaders
