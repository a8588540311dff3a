import { ConfigError, type ConfigProblem } from '../config/problems.ts'
import type { Resolved } from '../config/resolve.ts'
import { type UrisToRegister, urisToRegister } from '../config/uris.ts'
import { type ConfigFile, findConfigFile, readConfig } from './config-file.ts'
import type { Output } from './output.ts'
import { counted, sentenceOf } from './problem-report.ts'
import { table } from './table.ts'
import type { Call, ExitCode, World } from './world.ts'

/** `doorward check`: everything that can be told of a file without starting anything. */
export async function check(call: Call): Promise<ExitCode> {
  const { out, options, world } = call
  const file = findConfigFile(call)
  const found = read(file, world)
  const strict = options.flag('strict')
  if (options.flag('json')) out.json(asJson(file, found))
  else print(file, found, strict, out)
  const failed = found instanceof ConfigError || (strict && found.warnings.length > 0)
  return failed ? 1 : 0
}

type Found = Resolved | ConfigError

function read(file: ConfigFile, world: World): Found {
  try {
    return readConfig(file, world)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function asJson({ shown }: ConfigFile, found: Found) {
  if (found instanceof ConfigError)
    return { file: shown, fine: false, problems: found.problems, warnings: [], notes: [], register: [] }
  const { config, warnings, notes } = found
  return { file: shown, fine: true, problems: [], warnings, notes, register: registrations(config) }
}

const registrations = (config: Resolved['config']) =>
  urisToRegister(config).map((uris) => {
    const { issuer, clientId } = config.providers.find(({ name }) => name === uris.provider)!
    return { ...uris, issuer, clientId }
  })

function print({ shown }: ConfigFile, found: Found, strict: boolean, out: Output): void {
  const { paint } = out
  if (found instanceof ConfigError) {
    for (const problem of found.problems) printProblem(shown, problem, paint.bad('problem'), out)
    out.result(`${shown}: ${paint.bad(counted(found.problems.length, 'problem'))}`)
    return
  }
  const { config, warnings, notes } = found
  for (const warning of warnings) printProblem(shown, warning, paint.warning('warning'), out)
  for (const note of notes) printProblem(shown, note, 'note', out)
  const gitHubs = new Set(config.providers.filter(({ kind }) => kind === 'github').map(({ name }) => name))
  for (const registration of registrations(config)) printUris(registration, gitHubs.has(registration.provider), out)
  const store = config.providers.length === 0 ? [] : [`session store ${config.session.store}`]
  const parts = [counted(config.routes.length, 'route'), counted(config.providers.length, 'provider'), ...store]
  const summary = `${shown}: ${paint.good('fine')} (${parts.join(', ')})`
  if (warnings.length === 0) out.result(summary)
  else
    out.result(
      `${summary}, ${paint.warning(counted(warnings.length, 'warning'))}${strict ? ', which --strict refuses' : ''}`,
    )
}

function printProblem(shown: string, problem: ConfigProblem, kind: string, out: Output): void {
  out.result(`${kind}: ${sentenceOf(shown, problem)}`)
  if (problem.hint !== '') out.result(`  ${out.paint.quiet('hint:')} ${problem.hint}`)
  out.result()
}

type Registration = UrisToRegister & { readonly issuer: string; readonly clientId: string }

function printUris(registration: Registration, isGitHub: boolean, out: Output): void {
  const { issuer, clientId, redirectUris, postLogoutRedirectUris, backchannelLogoutUri } = registration
  out.result(`Register for the client ${out.paint.strong(clientId)} at ${issuer}, to the letter:`)
  const redirects = redirectUris.map((uri) => [isGitHub ? 'Authorization callback URL' : 'redirect URI', uri])
  // GitHub tells nobody about logout, and is told by nobody.
  const logouts = [
    ...postLogoutRedirectUris.map((uri) => ['post-logout redirect URI', uri]),
    ['back-channel logout URL', backchannelLogoutUri],
  ]
  for (const line of table(isGitHub ? redirects : [...redirects, ...logouts])) out.result(line)
  out.result()
}
