/** From what was typed to what was meant, with a suggestion where a word is misspelt. */
import { parseArgs } from 'node:util'
import { nearest } from '../config/spelling.ts'
import type { Command, OptionDescription } from './commands.ts'
import { type Options, UsageError } from './world.ts'

export interface Arguments {
  readonly options: Options
  readonly positionals: readonly string[]
  readonly wantsHelp: boolean
}

/** @throws UsageError for unknown options, missing or superfluous values, and too many arguments */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const known: Readonly<Record<string, OptionDescription>> = { ...command.options, help: helpOption }
  const config = Object.fromEntries(
    Object.entries(known).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short !== undefined && { short }) },
    ]),
  )
  // Not strict: the words for what is wrong are ours.
  const { tokens } = parseArgs({
    args: [...argv],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values = new Map<string, string | true>()
  const positionals: string[] = []
  let rest: readonly string[] | undefined
  for (const token of tokens) {
    if (token.kind === 'option-terminator' && command.rest !== undefined) rest = argv.slice(token.index + 1)
    if (token.kind === 'positional' && rest === undefined) positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = known[token.name]
    if (option === undefined) throw unknownOption(command, token.rawName, Object.keys(known))
    if (values.has(token.name)) throw usage(command, `${token.rawName} is given twice`)
    values.set(token.name, readValue(command, option, token))
  }
  const wantsHelp = values.has('help')
  if (!wantsHelp && positionals.length > (command.positionals?.length ?? 0)) throw superfluous(command, positionals)
  return {
    wantsHelp,
    positionals: [...positionals, ...(rest ?? [])],
    options: {
      text(name) {
        const value = values.get(name)
        return value === true ? undefined : value
      },
      flag: (name) => values.has(name),
    },
  }
}

const helpOption: OptionDescription = { short: 'h', summary: 'this page' }

interface OptionToken {
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function readValue(
  command: Command,
  option: OptionDescription,
  { rawName, value, inlineValue }: OptionToken,
): string | true {
  if (option.value === undefined) {
    if (value !== undefined) throw usage(command, `${rawName} takes no value`)
    return true
  }
  const isNextOption = inlineValue !== true && value !== undefined && value.length > 1 && value.startsWith('-')
  if (value === undefined || value === '' || isNextOption) {
    throw usage(command, `${rawName} needs a value: ${rawName} ${option.value}`)
  }
  return value
}

const usage = ({ name }: Command, message: string): UsageError =>
  new UsageError(message, `\`doorward help ${name}\` shows how to call it`)

function unknownOption(command: Command, rawName: string, names: readonly string[]): UsageError {
  const meant = rawName.startsWith('--') ? nearest(rawName.slice(2), names) : undefined
  const message = `doorward ${command.name} has no option ${rawName}`
  return meant === undefined ? usage(command, message) : new UsageError(message, `did you mean --${meant}?`)
}

function superfluous(command: Command, positionals: readonly string[]): UsageError {
  const extra = positionals[command.positionals?.length ?? 0]!
  const message = `doorward ${command.name} does not take the argument "${extra}"`
  const takesFile = command.options.config !== undefined && /\.ya?ml$/.test(extra)
  return takesFile
    ? new UsageError(message, `to name the config file: \`doorward ${command.name} --config ${extra}\``)
    : usage(command, message)
}
