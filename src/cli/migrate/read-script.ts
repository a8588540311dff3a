/** A command line of oauth2-proxy as text: a shell script, `docker run`, a systemd unit, or flags alone, one a line. */

export interface Script {
  readonly flags: readonly string[]
  /** Set before it, or handed to its container. */
  readonly variables: ReadonlyMap<string, string | undefined>
}

/** The program itself, or the image it comes in. */
const program = /^(?:ExecStart=\W*)?(?:[^=]*\/)?oauth2?[-_]proxy(?::\S+)?(?:@\S+)?$/

/** Whether a name or an image is that of oauth2-proxy. */
export const isProgram = (word: string): boolean => program.test(word.trim())

/** The first command that is oauth2-proxy; else all lines that begin with a flag. */
export function readScript(text: string): Script {
  const commands = commandsIn(text)
  const variables = new Map(commands.flatMap((words) => [...assignments(words), ...handedOver(words)]))
  const own = commands.find((words) => programIn(words) !== -1)
  if (own === undefined)
    return { flags: commands.filter(([first]) => first?.startsWith('-') ?? false).flat(), variables }
  const start = programIn(own)
  const flags = own.slice(start + 1)
  const end = flags.findIndex((word) => /^\d?[<>]/.test(word))
  // In the text of a file the flags may go on below, without a backslash.
  const more = commands.slice(commands.indexOf(own) + 1)
  const other = more.findIndex(([first]) => first === undefined || !first.startsWith('-'))
  const rest = (other === -1 ? more : more.slice(0, other)).flat()
  return { flags: [...(end === -1 ? flags : flags.slice(0, end)), ...rest], variables }
}

/**
 * Where the program stands among words, -1 where it does not. A client may have the same name, and a container too: what
 * follows a flag is its value, but for the image of `docker run`.
 */
export function programIn(words: readonly string[]): number {
  if (/^(?:.*\/)?(?:docker|podman|nerdctl)$/.test(words[0] ?? '')) {
    const image = words.findIndex((word) => isProgram(word) && /[/:]/.test(word))
    return image === -1 ? words.findLastIndex(isProgram) : image
  }
  const flag = words.findIndex((word) => /^--?[A-Za-z]{2}/.test(word))
  return (flag === -1 ? words : words.slice(0, flag)).findIndex(isProgram)
}

/** `NAME=value`, `export NAME=value`, and what Dockerfiles and systemd units call the same. */
function assignments(words: readonly string[]): [string, string | undefined][] {
  const [first = ''] = words
  const set = /^(?:export|ENV)$/.test(first) ? words.slice(1) : words
  return set.flatMap((word): [string, string][] => {
    const match = /^(?:Environment=)?([A-Za-z_]\w*)=(.*)$/s.exec(word)
    return match === null ? [] : [[match[1]!, match[2]!]]
  })
}

/** `-e NAME=value`, `--env=NAME=value`, `-e NAME` of `docker run`. */
function handedOver(words: readonly string[]): [string, string | undefined][] {
  return words.flatMap((word, index): [string, string | undefined][] => {
    const follows = /^(?:-e|--env)$/.test(words[index - 1] ?? '')
    const match = /^(?:(?:-e|--env)=)?([A-Za-z_]\w*)(?:=(.*))?$/s.exec(word)
    if (match === null || (!follows && !/^(?:-e|--env)=/.test(word))) return []
    return [[match[1]!, match[2]]]
  })
}

/** Words of each command, quotes taken off, comments and ends of commands read as a shell reads them. */
function commandsIn(text: string): string[][] {
  const commands: string[][] = [[]]
  const piece =
    /(\\\r?\n|[^\S\n]+)|(#[^\n]*)|(&&|\|\||[;&|\n])|((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\;&|])+)|["']/gs
  let isStart = true
  for (const [, space, comment = '', end, word] of text.matchAll(piece)) {
    if (comment !== '' && !isStart) commands.at(-1)!.push(comment)
    else if (end !== undefined) commands.push([])
    else if (word !== undefined) commands.at(-1)!.push(unquoted(word))
    isStart = space !== undefined || end !== undefined || comment !== ''
  }
  return commands.filter((words) => words.length > 0)
}

/** In lists of other languages a comma ends a line: `"--provider=oidc",`. */
const unquoted = (word: string): string =>
  word
    .replace(/^(["'].*["']),$/s, '$1')
    .replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, (_, double, single, one) =>
      double === undefined ? (single ?? one) : double.replace(/\\(["\\$`])/g, '$1'),
    )
