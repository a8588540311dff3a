/**
 * Reads the part of TOML 1.0 that oauth2-proxy's config file is made of: keys with texts, numbers, switches, and lists
 * of them. Everything else is refused with its line, never guessed.
 */
import { CommandError } from '../world.ts'

export interface TomlEntry {
  readonly key: string
  readonly values: readonly string[]
  readonly isList: boolean
  /** From 1. */
  readonly line: number
}

/** @throws CommandError naming file and line */
export function readToml(text: string, file: string): TomlEntry[] {
  const reader = createReader(text, file)
  const entries: TomlEntry[] = []
  for (;;) {
    reader.skip(/(?:\s|#[^\n]*)+/y)
    if (reader.isAtEnd()) return entries
    const { line } = reader
    const key = reader.take(/[\w-]+/y) ?? reader.take(/"[\w-]+"/y)?.slice(1, -1)
    if (key === undefined) throw reader.wrong(reader.sees('[') ? 'a section, and its file is flat' : 'no key')
    if (reader.take(/[ \t]*=[ \t]*/y) === undefined) throw reader.wrong(`no = after ${key}`)
    if (entries.some((entry) => entry.key === key)) throw reader.wrong(`${key} a second time`)
    const isList = reader.sees('[')
    entries.push({ key, values: isList ? readList(reader) : [readValue(reader)], isList, line })
    if (reader.take(/[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y) === undefined)
      throw reader.wrong(`more after the value of ${key}`)
  }
}

type Reader = ReturnType<typeof createReader>

function createReader(text: string, file: string) {
  let at = 0
  const lineAt = () => text.slice(0, at).split('\n').length
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  return {
    take,
    skip: (pattern: RegExp) => void take(pattern),
    sees: (start: string) => text.startsWith(start, at),
    isAtEnd: () => at >= text.length,
    get line() {
      return lineAt()
    },
    // The text itself is not shown: it may be a secret.
    wrong: (found: string) =>
      new CommandError(`${file}:${lineAt()}: ${found}`, 'write key = "text", true, a number, or [ "a", "b" ] there'),
  }
}

function readList(reader: Reader): string[] {
  const space = /(?:\s|#[^\n]*)+/y
  const values: string[] = []
  reader.skip(/\[/y)
  for (;;) {
    reader.skip(space)
    if (reader.take(/\]/y) !== undefined) return values
    values.push(readValue(reader))
    reader.skip(space)
    if (reader.take(/,/y) === undefined && !reader.sees(']')) throw reader.wrong('a list without its end or a comma')
  }
}

function readValue(reader: Reader): string {
  if (reader.sees('"""') || reader.sees("'''")) throw reader.wrong('a text of several lines')
  const literal = reader.take(/'[^'\n]*'/y)
  if (literal !== undefined) return literal.slice(1, -1)
  const basic = reader.take(/"(?:[^"\\\n]|\\.)*"/y)
  if (basic !== undefined) return unescaped(basic.slice(1, -1), reader)
  const bare = reader.take(/true\b|false\b|[+-]?\d[\d_]*(?:\.\d+)?(?![\w.])/y)
  if (bare === undefined) throw reader.wrong('no text in quotes, no switch, no number')
  return bare.replaceAll('_', '')
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
}

const unescaped = (text: string, reader: Reader): string =>
  text.replace(/\\(?:u([\da-fA-F]{4})|(.))/g, (_, hex: string | undefined, letter: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    const known = escapes[letter ?? '']
    if (known === undefined) throw reader.wrong(`an escape \\${letter} that TOML does not have; use single quotes`)
    return known
  })
