/** Flags of oauth2-proxy: typed after `--`, one a line in a file, or the arguments of a container. */
import { parse } from 'yaml'
import type { Environment } from '../../config/interpolate.ts'
import { type Given, give, type Source, type Unknown } from './given.ts'
import { settingNamed, settings } from './settings.ts'

/** @param file named in comments; undefined where they were typed */
export function readFlags(words: readonly string[], env: Environment, file?: string): Source {
  const given: Given[] = []
  const unknown: Unknown[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    const [flag = '', ...rest] = word.split('=')
    const place = file === undefined ? flag : `${flag} (${file})`
    const name = flag.startsWith('-') ? settingNamed(flag) : undefined
    if (name === undefined) {
      // The program itself comes first in a command.
      if (flag.startsWith('-')) unknown.push({ written: flag, place })
      else if (!/(?:^|\/)oauth2?[-_]proxy$/.test(flag)) unknown.push({ written: 'a word that is no flag', place })
      if (flag.startsWith('-') && rest.length === 0 && isValue(words[index + 1])) index++
      continue
    }
    // As there: a switch takes its value after `=` alone.
    const isSwitch = settings[name].kind === 'switch'
    const value = rest.length > 0 ? rest.join('=') : isSwitch ? 'true' : words[++index]
    given.push(give(name, [value ?? ''], place, { env }))
  }
  return { given, unknown }
}

const isValue = (word: string | undefined): boolean => word !== undefined && !word.startsWith('-')

/** A file of flags: JSON or YAML with a list of them somewhere (a container, a compose file), else lines of a shell. */
export function flagsIn(text: string): readonly string[] {
  const tree = treeOf(text)
  return (tree === undefined ? undefined : listIn(tree)) ?? shellWords(text)
}

function treeOf(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'silent' })
  } catch {
    return undefined
  }
}

/** The first list of texts that holds a flag. */
function listIn(node: unknown): readonly string[] | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  if (Array.isArray(node) && node.some((item) => typeof item === 'string' && item.startsWith('--'))) {
    return node.filter((item) => typeof item === 'string')
  }
  for (const child of Object.values(node)) {
    const found = listIn(child)
    if (found !== undefined) return found
  }
  return undefined
}

/** `oauth2-proxy \`, `--flag="a b" \`, `# a comment`. */
function shellWords(text: string): string[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line))
  const words =
    lines
      .join('\n')
      .replaceAll(/\\\r?\n/g, ' ')
      .match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? []
  return words.map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_, double, single, one) =>
      double === undefined ? (single ?? one) : double.replace(/\\(["\\$`])/g, '$1'),
    ),
  )
}
