/** As whom the Admin API of a Keycloak is asked, and how a person says so on the command line. */
import { Secret } from '../../core/secret.ts'
import type { OptionDescription } from '../commands.ts'
import { type Call, UsageError, type World } from '../world.ts'

export type KeycloakAdminAccess =
  /** Password grant of the built-in client `admin-cli`. */
  | { readonly kind: 'password'; readonly realm: string; readonly username: string; readonly password: Secret }
  /** A service account, such as the one of KC_BOOTSTRAP_ADMIN_CLIENT_ID. */
  | { readonly kind: 'client'; readonly realm: string; readonly clientId: string; readonly clientSecret: Secret }
  /** An access token somebody else got; it cannot be renewed. */
  | { readonly kind: 'token'; readonly token: Secret }

/** The options of every command that asks the Admin API. */
export const adminOptions: Readonly<Record<string, OptionDescription>> = {
  'admin-user': { value: 'NAME', summary: 'administrator; password in DOORWARD_ADMIN_PASSWORD' },
  'admin-client': { value: 'ID', summary: 'service account; secret in DOORWARD_ADMIN_CLIENT_SECRET' },
  'admin-realm': { value: 'REALM', summary: 'the realm of that account; master unless given' },
  'admin-url': { value: 'URL', summary: 'where administrators reach Keycloak, if elsewhere' },
}

/**
 * Secrets come from the environment alone: a command line can be read by everybody on the machine. A password of `-`
 * is read from standard input.
 * @returns undefined where no account was named
 * @throws UsageError where half of an account was
 */
export async function readAdminAccess({ options, world }: Call): Promise<KeycloakAdminAccess | undefined> {
  const [username, clientId] = [options.text('admin-user'), options.text('admin-client')]
  const realm = options.text('admin-realm') ?? 'master'
  if (username !== undefined && clientId !== undefined) {
    throw new UsageError('--admin-user and --admin-client name two accounts', 'give one of them')
  }
  if (username !== undefined) {
    const password = await secretFrom(world, 'DOORWARD_ADMIN_PASSWORD', `--admin-user ${username}`)
    return { kind: 'password', realm, username, password }
  }
  if (clientId !== undefined) {
    const clientSecret = await secretFrom(world, 'DOORWARD_ADMIN_CLIENT_SECRET', `--admin-client ${clientId}`)
    return { kind: 'client', realm, clientId, clientSecret }
  }
  const token = (world.env.DOORWARD_ADMIN_TOKEN ?? '').trim()
  return token === '' ? undefined : { kind: 'token', token: new Secret(token) }
}

/** `--admin-url`, checked. */
export function readAdminUrl({ options }: Pick<Call, 'options'>): URL | undefined {
  const text = options.text('admin-url')
  if (text === undefined) return undefined
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new UsageError(
    `--admin-url "${text}" is not an address`,
    'such as --admin-url https://keycloak-admin.example.com',
  )
}

async function secretFrom(world: World, name: string, account: string): Promise<Secret> {
  const given = world.env[name] ?? ''
  if (given === '-' && world.stdin.isTTY === true) {
    const hint = `it would show what you type; use: read -rs ${name} && export ${name}`
    throw new UsageError(`${name}=- reads standard input, and that is a terminal`, hint)
  }
  const text = given === '-' ? (await readAll(world)).replace(/\r?\n$/, '') : given
  if (text !== '') return new Secret(text)
  throw new UsageError(
    `${account} needs its secret in the environment: ${name} is empty`,
    `\`${name}=-\` reads standard input`,
  )
}

async function readAll({ stdin }: World): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stdin) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}
