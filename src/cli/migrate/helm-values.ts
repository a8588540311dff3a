/** Values of the Helm chart of oauth2-proxy, as the flags, variables and files that it makes of them. */
import type { Environment } from '../../config/interpolate.ts'
import { CommandError } from '../world.ts'
import { give, type Source } from './given.ts'
import { type Alpha, alphaOf, readAlpha } from './read-alpha.ts'
import { nameAlone, type SettingName, settingNamed, settings } from './settings.ts'
import { tomlSettings } from './toml-settings.ts'
import { at, below, documentsIn, isMap, strings, textAt } from './tree.ts'

export interface ChartValues {
  readonly file: Source | undefined
  readonly variables: Source
  readonly flags: Source
  readonly alpha: Alpha | undefined
}

/** Every map below that holds values of this chart: of its own file, below the name of a subchart, or in a release of it. */
export function chartsIn(node: unknown): object[] {
  if (typeof node !== 'object' || node === null) return []
  if (isMap(node) && isChart(node)) return [node]
  return Object.entries(node).flatMap(([key, child]) => {
    if (key === 'parameters') return chartsIn(spelledOut(child))
    // Argo CD takes the values as a text.
    if (key === 'values' && typeof child === 'string') return (documentsIn(child) ?? []).flatMap(chartsIn)
    return chartsIn(child)
  })
}

/** Other charts have `extraArgs` and `config` too, with names of their own in it. */
function isChart(node: object): boolean {
  const config = at(node, 'config')
  if (isMap(config) && ['configFile', 'clientID', 'cookieSecret'].some((key) => Object.hasOwn(config, key))) return true
  const args = at(node, 'extraArgs')
  const names = isMap(args) ? Object.keys(args) : strings(args).map((word) => word.split('=')[0]!)
  return names.filter((name) => settingNamed(name) !== undefined).length * 2 > names.length
}

/** `[{ name: extraArgs.provider, value: oidc }]` as the map it stands for. */
function spelledOut(parameters: unknown): unknown {
  const tree: Record<string, Record<string, string>> = {}
  for (const one of Array.isArray(parameters) ? parameters : []) {
    const [, section = '', key = ''] =
      /^(?:oauth2-proxy\.)?(config|extraArgs)\.([\w-]+)$/.exec(textAt(one, 'name') ?? '') ?? []
    if (section !== '') tree[section] = { ...tree[section], [key]: textAt(one, 'value') ?? '' }
  }
  return tree
}

export function readChart(values: object, file: string, env: Environment): ChartValues {
  const told = (name: SettingName, written: readonly string[], key: string) =>
    written.length === 0 ? [] : [give(name, written, `${key} (${file})`, { env, isList: true })]
  const configFile = below(values, 'config', 'configFile')
  const alpha = alphaIn(values, file, env)
  return {
    file: typeof configFile === 'string' ? tomlSettings(configFile, `config.configFile of ${file}`, env) : undefined,
    variables: { given: [...secretsOf(values, file, env), ...sessionOf(values, file, env)], unknown: [] },
    flags: {
      given: [
        // The chart says so itself; arguments of its user come behind.
        ...(alpha === undefined ? told('http-address', ['0.0.0.0:4180'], 'the chart') : []),
        ...(alpha === undefined && below(values, 'metrics', 'enabled') !== false
          ? told('metrics-address', ['0.0.0.0:44180'], 'the chart')
          : []),
        ...told('cookie-name', strings(below(values, 'config', 'cookieName')), 'config.cookieName'),
        ...told('google-group', strings(below(values, 'config', 'google', 'groups')), 'config.google.groups'),
        ...switchedOn(values, 'authenticatedEmailsFile', '/etc/oauth2-proxy/authenticated-emails-list', told),
        ...switchedOn(values, 'htpasswdFile', '/etc/oauth2_proxy/htpasswd/users.txt', told),
        ...argumentsOf(values).flatMap(({ name, text }) =>
          name === undefined ? [] : [give(name, [text], `extraArgs.${name} (${file})`, { env })],
        ),
      ],
      unknown: argumentsOf(values)
        .filter(({ name }) => name === undefined)
        .map(({ written }) => ({ written, place: `extraArgs.${written} (${file})` })),
    },
    alpha,
  }
}

type Told = (name: SettingName, written: readonly string[], key: string) => Source['given']

const switchedOn = (values: object, key: 'authenticatedEmailsFile' | 'htpasswdFile', path: string, told: Told) =>
  below(values, key, 'enabled') === true
    ? told(key === 'htpasswdFile' ? 'htpasswd-file' : 'authenticated-emails-file', [path], key)
    : []

/** A map of names and values, or a list of flags. */
function argumentsOf(values: object): { name: SettingName | undefined; written: string; text: string }[] {
  const args = at(values, 'extraArgs')
  const pairs = isMap(args)
    ? Object.keys(args).flatMap((key): [string, string][] => {
        const texts = strings(at(args, key))
        return texts.length === 0 ? [[key, 'true']] : texts.map((text) => [key, text])
      })
    : strings(args).map((word): [string, string] => {
        const [key = '', ...rest] = word.split('=')
        return [key, rest.length === 0 ? 'true' : rest.join('=').replace(/^(["'])(.*)\1$/, '$2')]
      })
  return pairs.map(([key, text]) => {
    const name = settingNamed(key)
    // A switch without a value is on; a text without one is nothing.
    return {
      name,
      written: nameAlone(key),
      text: text === 'true' && name !== undefined && settings[name].kind === 'text' ? '' : text,
    }
  })
}

/** From a Secret of the chart's, of somebody else's, or as they stand. */
function secretsOf(values: object, file: string, env: Environment): Source['given'] {
  const config = at(values, 'config')
  const existing = textAt(config, 'existingSecret') !== undefined
  const names = [
    ['clientID', 'client-id', 'OAUTH2_PROXY_CLIENT_ID'],
    ['clientSecret', 'client-secret', 'OAUTH2_PROXY_CLIENT_SECRET'],
    ['cookieSecret', 'cookie-secret', 'OAUTH2_PROXY_COOKIE_SECRET'],
  ] as const
  return names.flatMap(([key, name, variable]) => {
    const text = textAt(config, key)
    // The chart's own example.
    const written = text === undefined || /^X*$/.test(text) ? undefined : text
    if (written !== undefined && !existing) return [give(name, [written], `config.${key} (${file})`, { env })]
    return existing ? [give(name, [`\${${variable}}`], `config.existingSecret (${file})`, { env, variable })] : []
  })
}

function sessionOf(values: object, file: string, env: Environment): Source['given'] {
  const redis = below(values, 'sessionStorage', 'redis')
  if (below(values, 'sessionStorage', 'type') !== 'redis') return []
  const place = `sessionStorage (${file})`
  const told = (name: SettingName, written: readonly string[]) =>
    written.length === 0 || written[0] === '' ? [] : [give(name, written, place, { env, isList: true })]
  const password = textAt(redis, 'existingSecret') || textAt(redis, 'password')
  const kind = textAt(redis, 'clientType') ?? 'standalone'
  return [
    ...told('session-store-type', ['redis']),
    ...(password ? told('redis-password', ['$(OAUTH2_PROXY_REDIS_PASSWORD)']) : []),
    ...(kind === 'standalone'
      ? told('redis-connection-url', strings(below(redis, 'standalone', 'connectionUrl')))
      : []),
    ...(kind === 'cluster' ? told('redis-use-cluster', ['true']) : []),
    ...(kind === 'cluster' ? told('redis-cluster-connection-urls', addresses(below(redis, 'cluster'))) : []),
    ...(kind === 'sentinel' ? told('redis-use-sentinel', ['true']) : []),
    ...(kind === 'sentinel' ? told('redis-sentinel-connection-urls', addresses(below(redis, 'sentinel'))) : []),
    ...(kind === 'sentinel' ? told('redis-sentinel-master-name', strings(below(redis, 'sentinel', 'masterName'))) : []),
  ]
}

const addresses = (node: unknown): string[] => strings(at(node, 'connectionUrls')).flatMap((text) => text.split(','))

/** @throws CommandError where the values only name it: it decides who may come in */
function alphaIn(values: object, file: string, env: Environment): Alpha | undefined {
  const alpha = at(values, 'alphaConfig')
  if (at(alpha, 'enabled') !== true) return undefined
  const place = `alphaConfig of ${file}`
  const text = textAt(alpha, 'configFile')
  if (text !== undefined && text !== '') return readAlpha(text, place, env)
  const data = at(alpha, 'configData')
  if (isMap(data)) {
    const server = {
      bindAddress: '0.0.0.0:4180',
      ...(isMap(at(alpha, 'serverConfigData')) ? Object(at(alpha, 'serverConfigData')) : {}),
    }
    return alphaOf({ server, ...data }, place, env)
  }
  throw new CommandError(`${file}: its alpha configuration is elsewhere`, 'give it too: --alpha-config FILE')
}
