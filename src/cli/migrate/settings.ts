/** Every setting of oauth2-proxy that is known here, and the many ways to spell its name. */
import type { Setting } from './setting.ts'
import { servingSettings } from './settings-serving.ts'
import { signInSettings } from './settings-sign-in.ts'

export const settings = { ...signInSettings, ...servingSettings } as const satisfies Record<string, Setting>

/** As a flag without its dashes. */
export type SettingName = keyof typeof settings

export const settingNames = Object.keys(settings) as SettingName[]

/** Names of other versions. */
const older: Readonly<Record<string, SettingName>> = {
  'keycloak-group': 'allowed-group',
  'azure-graph-group-field': 'resource',
  'redis-sentinel-connection-url': 'redis-sentinel-connection-urls',
  'redis-cluster-connection-url': 'redis-cluster-connection-urls',
  'cookie-refresh-interval': 'cookie-refresh',
  'gitlab-projects': 'gitlab-project',
}

const bySpelling = new Map<string, SettingName>([
  ...Object.entries(older),
  ...settingNames.flatMap((name) => [[`${name}s`, name] as const, [name, name] as const]),
])

/**
 * `--email-domain`, `email_domains`, `OAUTH2_PROXY_EMAIL_DOMAINS`: whatever may be given several times has an `s` in
 * the file and the environment. Undefined for a name nobody knows.
 */
export const settingNamed = (written: string): SettingName | undefined =>
  bySpelling.get(
    written
      .replace(/^-+/, '')
      .replace(/^OAUTH2_PROXY_/i, '')
      .toLowerCase()
      .replaceAll('_', '-'),
  )

/** For names to show. `--client-secret TEXT` in one word, or with a colon: what comes behind the name may be a secret. */
export const nameAlone = (written: string): string => written.replace(/^(-{0,2}[\w.-]*)[^\w.-].*$/s, '$1 …')
