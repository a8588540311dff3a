/** The help pages, made from the command table. */
import { nearest } from '../config/spelling.ts'
import { wrap } from '../config/wrapping.ts'
import { type Command, commandNamed, commands } from './commands.ts'
import { table } from './table.ts'
import { type Call, type ExitCode, UsageError } from './world.ts'

/** `doorward help [command | config [key]]`. */
export async function help({ out, positionals }: Call): Promise<ExitCode> {
  const [name, key] = positionals
  if (name === undefined) out.result(overview())
  else if (name === 'config') out.result(await configPage(key, out.columns))
  else if (key === undefined) out.result(commandPage(commandOrRefuse(name), out.columns))
  else throw new UsageError(`"${key}" is one too many`, `\`doorward help ${name}\``)
  return 0
}

/** @throws UsageError with the name that was probably meant */
export function commandOrRefuse(name: string): Command {
  const command = commandNamed(name)
  if (command !== undefined) return command
  const meant = nearest(
    name,
    commands.map((known) => known.name),
  )
  const hint =
    meant === undefined
      ? '`doorward --help` lists the commands; `doorward help config KEY` explains a key of the file'
      : `did you mean \`doorward ${meant}\`?`
  throw new UsageError(`there is no command "${name}"`, hint)
}

/** Fits a terminal of 24 lines and 80 columns with its prompt. */
export const overview = (): string =>
  [
    'Doorward signs people in with OpenID Connect and guards what is behind it.',
    '',
    'usage: doorward <command> [options]         New here? Try: doorward demo',
    '',
    ...table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'The config file is --config FILE, else $DOORWARD_CONFIG, else ./doorward.yaml,',
    'else /etc/doorward/config.yaml.',
    '',
    ...table([
      ['-h, --help', 'this page, or after a command the page of that command'],
      ['--version', 'the version'],
      ['--debug', 'where an unexpected error comes from; also DOORWARD_DEBUG=1'],
    ]),
    '',
    'Exit codes: 0 as asked, 1 failed or not let in, 2 called wrongly.',
  ].join('\n')

/** @param columns of the terminal; options and examples are never broken */
export function commandPage(command: Command, columns: number): string {
  const { name, summary, positionals = [], rest, options, about, examples } = command
  const places = positionals.map((place) => `[${place}]`)
  const after = rest === undefined ? [] : [`[-- ${rest}]`]
  const flags = Object.keys(options).length > 0 ? ['[options]'] : []
  return [
    `doorward ${name}: ${summary}`,
    '',
    `usage: ${['doorward', name, ...flags, ...places, ...after].join(' ')}`,
    ...about.flatMap((paragraph) => ['', ...wrap(paragraph, columns)]),
    ...(flags.length > 0 ? ['', ...optionTable(options)] : []),
    '',
    ...(examples.length > 0 ? ['examples:', ...examples.map((example) => `  ${example}`)] : []),
  ].join('\n')
}

function optionTable(options: Command['options']): string[] {
  return table(
    Object.entries(options).map(([name, { value, short, summary }]) => [
      [short === undefined ? '' : `-${short}, `, `--${name}`, value === undefined ? '' : ` ${value}`].join(''),
      summary,
    ]),
  )
}

async function configPage(key: string | undefined, columns: number): Promise<string> {
  const { configReference, suggestKey } = await import('../config/help.ts')
  const page = configReference(key, columns)
  if (page !== undefined) return page
  const meant = suggestKey(key ?? '')
  const hint =
    meant === undefined ? '`doorward help config` lists the keys' : `did you mean \`doorward help config ${meant}\`?`
  throw new UsageError(`the config file has no key "${key}"`, hint)
}
