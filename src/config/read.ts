import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { type Document, isPair, isScalar, LineCounter, parseDocument, type Scalar, visit } from 'yaml'
import { type Environment, interpolate } from './interpolate.ts'
import { ConfigError, type ConfigProblem, collectProblems, type KeyPath, type Problems } from './problems.ts'
import { hideSecrets } from './secret-keys.ts'
import { lineAt } from './yaml-lines.ts'

/** The file as written: interpolated values, and for every key its line. Nothing is checked against the schema yet. */
export interface ParsedFile {
  readonly path: string
  /** Relative file names of the config start here. */
  readonly directory: string
  readonly content: unknown
  /** Holds what reading found already (duplicate keys, unset variables). */
  readonly problems: Problems
  readonly lineOf: (path: KeyPath) => number | undefined
  /** Places whose values came from environment variables, and which. */
  readonly variables: readonly { readonly path: KeyPath; readonly name: string }[]
  /** First 12 hex digits of SHA-256 over the file's text. */
  readonly hash: string
}

/** A config is a few kilobytes; whatever is larger is the wrong file. */
const largestFile = 1024 * 1024
/** An alias may repeat a part of the file, not multiply it ("billion laughs"). */
const largestAliasCount = 100

/**
 * Reads and parses a config file.
 * @throws ConfigError where nothing can be made of it (missing, too large, not YAML)
 */
export const readConfigFile = (file: string, env: Environment): ParsedFile => parseConfigText(readText(file), file, env)

/** The same for text that is already there. `file` names it in messages and anchors relative file names. */
export function parseConfigText(text: string, file: string, env: Environment): ParsedFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: true })
  const lineOf = (at: KeyPath) => lineAt(document, lines, at)
  const problems = collectProblems(lineOf)
  refuseBrokenYaml(file, document, lines)
  for (const { pos } of document.errors) {
    const { line } = lines.linePos(pos[0])
    problems.add([], `the key ${keyAt(text, pos[0])} is written twice in one map`, 'keep one of the two', line)
  }
  const variables = interpolateAll(document, env, problems)
  const content = contentOf(document, lines, file)
  hideSecrets(content, problems)
  const directory = path.dirname(path.resolve(file))
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return { path: file, directory, content, problems, lineOf, variables, hash }
}

function readText(file: string): string {
  const refuse = (message: string, hint: string) =>
    new ConfigError(file, [{ path: '', line: undefined, message, hint }])
  try {
    if (statSync(file).size > largestFile) throw refuse('larger than 1 MiB', 'this cannot be a Doorward config file')
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    if (error instanceof TypeError) throw refuse('is not UTF-8 text', 'save the file as UTF-8')
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'does not exist',
      EACCES: 'may not be read by this user',
      EISDIR: 'is a directory',
    }
    throw refuse(
      reasons[code] ?? `cannot be read (${code})`,
      'name the file with --config, or start from config.example.yaml',
    )
  }
}

/** Everything but duplicate keys leaves no tree to go on with. The parser's own excerpts are not shown: secrets. */
function refuseBrokenYaml(file: string, document: Document.Parsed, lines: LineCounter): void {
  // An unknown tag is but a warning to the parser, and half of an unquoted secret may be lost with it.
  const broken = [...document.errors, ...document.warnings]
    .filter(({ code }) => code !== 'DUPLICATE_KEY')
    .sort((a, b) => a.pos[0] - b.pos[0])
  if (broken.length === 0) return
  // Behind a broken structure the parser guesses: what it finds there are consequences.
  const first = broken.findIndex(({ code }) => !valueErrors.has(code))
  const problems = (first === -1 ? broken : broken.slice(0, first + 1)).map(({ code, pos }): ConfigProblem => {
    const message = `this is not valid YAML: ${syntaxErrors[code] ?? 'it cannot be understood here'}`
    const hint = 'check the indentation, colons and quotes around this line'
    return { path: '', line: lines.linePos(pos[0]).line, message, hint }
  })
  throw new ConfigError(file, problems)
}

/** One value alone is wrong, and the lines below are read as they are meant. */
const valueErrors: ReadonlySet<string> = new Set([
  'BAD_ALIAS',
  'BAD_DQ_ESCAPE',
  'BAD_SCALAR_START',
  'TAG_RESOLVE_FAILED',
])

/** Our own words: the parser's messages may quote the file. */
const syntaxErrors: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias (*name) without its anchor (&name); quote text that starts with *',
  BAD_DQ_ESCAPE: 'an unknown escape in double quotes; use single quotes for backslashes',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_SCALAR_START: 'a value starts with a reserved character (@ or `); quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map where one value belongs, often one colon too many; quote the value',
  MISSING_CHAR: 'a character is missing (a closing quote, bracket, comma or colon)',
  MULTILINE_IMPLICIT_KEY: 'a key runs over several lines, often because its colon is missing',
  MULTIPLE_DOCS: 'the file holds several documents (---); one is wanted',
  TAB_AS_INDENT: 'a tab used as indentation; use spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag (!name); quote text that starts with !',
  UNEXPECTED_TOKEN: 'something that does not belong here',
}

const keyAt = (text: string, offset: number): string =>
  /^["']?([\w.-]+)/.exec(text.slice(offset, offset + 60))?.[1] ?? ''

function contentOf(document: Document, lines: LineCounter, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: largestAliasCount }) ?? {}
  } catch {
    const message = 'its aliases (*name) cannot be resolved, or repeat too much'
    const hint = 'write the values out; quote text that starts with *'
    throw new ConfigError(file, [{ path: '', line: firstAlias(document, lines), message, hint }])
  }
}

function firstAlias(document: Document, lines: LineCounter): number | undefined {
  let line: number | undefined
  visit(document, {
    Alias(_, node) {
      line = node.range == null ? undefined : lines.linePos(node.range[0]).line
      return visit.BREAK
    },
  })
  return line
}

/** Replaces `${NAME}` in every string value (not in keys), and reports what cannot be replaced. */
function interpolateAll(document: Document, env: Environment, problems: Problems): { path: KeyPath; name: string }[] {
  const variables: { path: KeyPath; name: string }[] = []
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string') return
      const place = placeOf(ancestors, node)
      const { text, substituted, refused } = interpolate(node.value, env)
      for (const { reason, hint } of refused) problems.add(place, reason, hint)
      if (refused.length > 0) problems.excuse(place)
      for (const { name, value } of substituted) {
        variables.push({ path: place, name })
        // Short values (a port, `true`) would blot out half of a message, and are no secrets.
        if (value.trim().length >= 6) problems.hide(value.trim(), `\${${name}}`)
      }
      node.value = text
    },
  })
  return variables
}

/** Keys and positions that lead to a node, from what `visit` passed on the way. */
function placeOf(ancestors: readonly unknown[], node: Scalar): KeyPath {
  const chain = [...ancestors, node]
  return chain.flatMap((ancestor, index): (string | number)[] => {
    if (isPair(ancestor)) return [String(isScalar(ancestor.key) ? ancestor.key.value : ancestor.key)]
    const items = isSequence(ancestor) ? ancestor.items : undefined
    return items === undefined ? [] : [items.indexOf(chain[index + 1])]
  })
}

const isSequence = (node: unknown): node is { items: unknown[] } =>
  typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items) && !node.items.some(isPair)
