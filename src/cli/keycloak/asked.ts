/** What a call of `doorward setup keycloak` asks for, checked before anybody is asked on the network. */
import { networkInterfaces } from 'node:os'
import path from 'node:path'
import type { Config, ProviderConfig } from '../../config/config.ts'
import { ConfigError } from '../../config/problems.ts'
import { readConfigFile } from '../../config/read.ts'
import { resolveConfig } from '../../config/resolve.ts'
import { valueAt } from '../../config/tree.ts'
import { randomToken } from '../../core/encoding.ts'
import { isJsonObject } from '../../core/strict-json.ts'
import { type ConfigFile, findConfigFile, readConfig } from '../config-file.ts'
import { type Call, UsageError, type World } from '../world.ts'
import { type KeycloakAdminAccess, readAdminAccess, readAdminUrl } from './admin-access.ts'
import type { SecretFile } from './secret-file.ts'

export interface SetupAsked {
  readonly file: ConfigFile
  readonly config: Config
  readonly provider: ProviderConfig
  readonly access: KeycloakAdminAccess
  readonly adminUrl: URL | undefined
  readonly backchannelUrl: string | undefined
  readonly secretFile: SecretFile | undefined
}

/** @throws UsageError, ConfigError */
export async function readSetup(call: Call): Promise<SetupAsked> {
  const { options, positionals, world } = call
  if (positionals[0] !== 'keycloak') throw notKeycloak(positionals[0])
  if (options.flag('plan') && options.flag('yes'))
    throw new UsageError('--plan and --yes say two things', '--plan changes nothing; --yes changes without asking')
  const secretFile = readSecretFile(call)
  const backchannelUrl = readBackchannelUrl(call)
  const file = findConfigFile(call)
  const config = secretFile === undefined ? readConfig(file, world).config : configWithoutSecret(file, world)
  const provider = chooseProvider(config, options.text('provider'))
  if (secretFile !== undefined && !provider.clientAuth.method.startsWith('client_secret')) {
    const message = `--secret-file: the client ${provider.clientId} has no secret`
    throw new UsageError(message, `its clientAuth is ${provider.clientAuth.method}`)
  }
  const access = await readAdminAccess(call)
  if (access === undefined) throw new UsageError('nobody is named who may change Keycloak', accessHint)
  return { file, config, provider, access, adminUrl: readAdminUrl(call), backchannelUrl, secretFile }
}

const accessHint =
  'give --admin-user NAME and DOORWARD_ADMIN_PASSWORD, --admin-client ID and DOORWARD_ADMIN_CLIENT_SECRET, or DOORWARD_ADMIN_TOKEN'

const notKeycloak = (given: string | undefined): UsageError =>
  given === undefined
    ? new UsageError('doorward setup needs to know what to set up', 'there is one: `doorward setup keycloak`')
    : new UsageError(`doorward setup cannot set up "${given}"`, 'there is one: `doorward setup keycloak`')

function readSecretFile({ options, world }: Call): SecretFile | undefined {
  const shown = options.text('secret-file')
  if (shown !== undefined) return { shown, path: path.resolve(world.cwd, shown), mayOverwrite: options.flag('force') }
  if (options.flag('force')) throw new UsageError('--force says nothing without --secret-file', 'leave it out')
  return undefined
}

function readBackchannelUrl({ options }: Call): string | undefined {
  const text = options.text('backchannel-url')
  if (text === undefined || /^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text
  const hint = 'such as http://doorward.default.svc:4180/_doorward/backchannel-logout'
  throw new UsageError(`--backchannel-url "${text}" is not an address`, hint)
}

/** The one that is named, or the only one that is a Keycloak. */
function chooseProvider({ providers }: Config, name: string | undefined): ProviderConfig {
  const keycloaks = providers.filter(({ kind, issuer }) => kind === 'keycloak' || /\/realms\/[^/]+$/.test(issuer))
  const chosen = name === undefined ? keycloaks : keycloaks.filter((provider) => provider.name === name)
  if (chosen.length === 1) return chosen[0]!
  const names = keycloaks.map((provider) => provider.name).join(', ')
  if (keycloaks.length === 0)
    throw new UsageError('the config file has no provider that is a Keycloak', 'its issuer ends in /realms/<realm>')
  throw name === undefined
    ? new UsageError('the config file has several Keycloaks', `name one with --provider: ${names}`)
    : new UsageError(`the config file has no Keycloak "${name}"`, `it has: ${names}`)
}

/**
 * With --secret-file the secret may be still to come. A made-up one stands in for what cannot be read: it is what a new
 * client gets, and what is then written.
 */
function configWithoutSecret(file: ConfigFile, world: World): Config {
  try {
    return readConfig(file, world).config
  } catch (error) {
    const missing = error instanceof ConfigError ? error.problems.map((problem) => problem.path) : []
    if (missing.length === 0 || !missing.every((at) => at.endsWith('.clientSecret'))) throw error
    const parsed = readConfigFile(file.path, world.env)
    for (const at of missing) {
      const provider = valueAt(parsed.content, at.split('.').slice(0, -1))
      if (isJsonObject(provider)) provider.clientSecret = randomToken()
    }
    return resolveConfig(parsed, { env: world.env, networkInterfaces: networkInterfaces() }).config
  }
}
