/** The command line: finds the command, runs it, and turns what went wrong into a sentence and an exit code. */
import { ConfigError } from '../config/problems.ts'
import { GatewayError } from '../core/errors.ts'
import { parseArguments } from './arguments.ts'
import { type Command, commandNamed } from './commands.ts'
import { commandOrRefuse, commandPage, overview } from './help.ts'
import { createOutput, type Output } from './output.ts'
import { reportConfigError } from './problem-report.ts'
import { CommandError, type ExitCode, UsageError, type World } from './world.ts'

/** Milliseconds an idle process gets to end by itself once its command is done. */
const patience = 1000

/** @param argv what stands after `doorward` */
export async function main(argv: readonly string[]): Promise<void> {
  // `doorward help config | head` closes our pipe; that is no error of anybody.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  process.exitCode = await run(argv, {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    signals: process,
    exit: (code) => process.exit(code),
  })
  // Fires only where something was left open; a gateway that was told to stop has to.
  setTimeout(() => process.exit(), patience).unref()
}

/** One call from start to exit code; it never throws. */
export async function run(argv: readonly string[], world: World): Promise<ExitCode> {
  const out = createOutput(world.stdout, world.stderr, world.env)
  const debug = argv.includes('--debug') || !['', '0', undefined].includes(world.env.DOORWARD_DEBUG)
  try {
    return await dispatch(
      argv.filter((argument) => argument !== '--debug'),
      world,
      out,
    )
  } catch (error) {
    return report(error, out, debug)
  }
}

const aliases: Readonly<Record<string, string>> = { '-h': 'help', '--help': 'help', '--version': 'version' }

async function dispatch([first, ...rest]: readonly string[], world: World, out: Output): Promise<ExitCode> {
  if (first === undefined) {
    out.result(overview())
    return 2
  }
  const command = commandFor(aliases[first] ?? first)
  const { options, positionals, wantsHelp } = parseArguments(command, rest)
  if (wantsHelp) {
    out.result(commandPage(command, out.columns))
    return 0
  }
  return command.run({ world, out, options, positionals })
}

function commandFor(name: string): Command {
  if (name.startsWith('-') && commandNamed(name) === undefined) {
    throw new UsageError(`${name} stands where a command belongs`, 'options come after the command: `doorward --help`')
  }
  return commandOrRefuse(name)
}

function report(error: unknown, out: Output, debug: boolean): ExitCode {
  const wrongUsage = error instanceof UsageError
  if (wrongUsage || error instanceof CommandError) out.fail(error.message, error.hint)
  else if (error instanceof ConfigError) reportConfigError(error, out)
  else if (error instanceof GatewayError)
    out.fail(error.message, 'run it again with --debug to see where this comes from')
  else out.fail(`unexpected: ${sentenceOf(error)}`, 'run it again with --debug to see where this comes from')
  if (debug && error instanceof Error) out.say(stackOf(error))
  return wrongUsage ? 2 : 1
}

/** The first line alone: what libraries write below it is for developers. */
const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!

function stackOf(error: Error): string {
  const stack = error.stack ?? error.message
  return error.cause instanceof Error ? `${stack}\ncaused by: ${stackOf(error.cause)}` : stack
}
