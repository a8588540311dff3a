/** `doorward migrate oauth2-proxy`: writes our file from theirs, and says what only a person can decide. */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ConfigError, type ConfigProblem } from '../../config/problems.ts'
import { parseConfigText } from '../../config/read.ts'
import { resolveConfig } from '../../config/resolve.ts'
import type { Output } from '../output.ts'
import { counted, sentenceOf } from '../problem-report.ts'
import { type Call, CommandError, type ExitCode, UsageError } from '../world.ts'
import type { Draft } from './draft.ts'
import { gather } from './gather.ts'
import { settings as known } from './settings.ts'
import { writeFile } from './write-file.ts'

export async function migrate(call: Call): Promise<ExitCode> {
  const { out, options, positionals } = call
  if (positionals[0] !== 'oauth2-proxy') {
    const message = positionals[0] === undefined ? 'migrate from what?' : `"${positionals[0]}" cannot be migrated from`
    throw new UsageError(message, 'write `doorward migrate oauth2-proxy`')
  }
  const target = targetOf(call)
  const { settings, alpha, missing } = gather(call)
  const draft = writeFile({ settings, alpha, publicUrl: options.text('public-url') })
  const text = `${draft.lines().join('\n')}\n`
  const problems = trial(text, draft, target?.shown ?? 'doorward.yaml')
  if (target === undefined) for (const line of draft.lines()) out.result(line)
  else write(target, text)
  for (const { place, file } of missing) {
    const option = place.includes('alpha') ? '--alpha-config' : '--cfg'
    out.warn(`${place}: ${file} is not here, so it was not read`, `run it again with ${option} FILE`)
  }
  report(draft, out)
  const carried = settings.all.filter(({ name }) => known[name].fate.is === 'carried').length
  out.say(
    `read ${counted(settings.all.length, 'setting')}: ${carried} with a key of ours, ${counted(draft.left.length, 'remark')}`,
  )
  for (const problem of problems) out.fail(sentenceOf(target?.shown ?? 'the new file', problem), problem.hint)
  const next =
    target === undefined ? 'save it, and run `doorward check`' : `next: \`doorward check --config ${target.shown}\``
  out.say(problems.length > 0 ? `it does not start before that is answered; ${next}` : next)
  return problems.length > 0 || missing.length > 0 ? 1 : 0
}

function report(draft: Draft, out: Output): void {
  for (const { place, why } of draft.left) out.warn(`not taken over: ${place}: ${why}`)
  for (const { place, asks, hint } of draft.questions) out.warn(`${place}: ${asks}`, hint)
  for (const what of draft.needs) out.say(`it needs ${what}`)
}

interface Target {
  readonly shown: string
  readonly path: string
}

/** Before anything is read: a file of somebody is not replaced by accident. */
function targetOf({ options, world }: Call): Target | undefined {
  const shown = options.text('output')
  if (shown === undefined) {
    if (options.flag('force')) throw new UsageError('--force is for --output', 'name the file: --output FILE')
    return undefined
  }
  const file = path.resolve(world.cwd, shown)
  if (existsSync(file) && !options.flag('force')) {
    throw new CommandError(`${shown}: the file exists`, 'name another, or add --force to replace it')
  }
  return { shown, path: file }
}

function write({ shown, path: file }: Target, text: string): void {
  const beside = `${file}.${process.pid}.new`
  try {
    writeFileSync(beside, text, { flag: 'wx' })
    renameSync(beside, file)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CommandError(`${shown}: it cannot be written (${code})`, 'name a file that can be', { cause })
  }
}

/**
 * The problems the file has by itself. Secrets and lists that are only named stand in for one another: they are where
 * it will run, not here.
 */
function trial(text: string, draft: Draft, file: string): readonly ConfigProblem[] {
  const named = draft.standIns.reduce((all, { text: written, instead }) => all.replaceAll(written, instead), text)
  const standing = named.replaceAll(variable, standInAt)
  const env = {}
  try {
    resolveConfig(parseConfigText(standing, file, env), { env, networkInterfaces: {} })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const variable = /(?<!\$)\$\{\w+(?::-([^{}]*))?\}/g

/** Something of the kind that belongs there: a port, a part of an address, an address, a name. */
function standInAt(_: string, instead: string | undefined, at: number, text: string): string {
  if (instead !== undefined) return instead
  const before = text.slice(text.lastIndexOf('\n', at) + 1, at)
  if (/[\w.\]}]:$/.test(before)) return '4180'
  if (/(?:issuer|publicUrl|internalUrl|upstream|url|authorization|token|userinfo|jwksUrl): "?$/.test(before))
    return 'https://stand-in.example.com'
  return /[\w-]$/.test(before) ? 'stand-in' : 'stand-in.example.com'
}
