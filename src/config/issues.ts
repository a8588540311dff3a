/** Turns what the schema library found into sentences for people. */
import type { z } from 'zod'
import { configJsonSchema, keysAt, nodeAt, type SchemaNode } from './json-schema.ts'
import type { KeyPath, Problems } from './problems.ts'
import { asYaml, isWorthSaying } from './reference.ts'
import { orList, quoted } from './refused.ts'
import { nearest } from './spelling.ts'
import { type Kind, kindOf, valueAt } from './tree.ts'

export type Issue = z.core.$ZodIssue

/** `path` is where `content`, the part that was parsed, stands in the file. */
export interface IssuePlace {
  readonly content: unknown
  readonly path: KeyPath
}

/** Reports one issue that `flattenUnion` gave; of unknown keys each. */
export function reportIssue(issue: Issue, { content, path }: IssuePlace, problems: Problems): void {
  const inner = plainPath(issue)
  const at = [...path, ...inner]
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey([...at, key], problems)
    return
  }
  const value = valueAt(content, inner)
  if (value === undefined) {
    reportMissing(at, problems)
    return
  }
  if (value === null) {
    problems.add(at, 'has no value', 'write a value, or remove the key')
    return
  }
  const { reason, hint } = sentenceOf(issue, value)
  problems.add(at, reason, hint === '' ? exampleOf(at) : hint)
}

/** Says that a required key is not there. */
export const reportMissing = (at: KeyPath, problems: Problems): void => problems.add(at, 'is missing', exampleOf(at))

/** Says that a key is not known and which one may be meant. */
export function reportUnknownKey(at: KeyPath, problems: Problems): void {
  const key = String(at.at(-1))
  const known = keysAt(configJsonSchema(), at.slice(0, -1))
  const meant = nearest(key, known)
  const elsewhere = meant === undefined ? placeOfKey(key) : undefined
  const hint =
    meant !== undefined
      ? `did you mean ${meant}?`
      : elsewhere !== undefined
        ? `${key} belongs under ${elsewhere}`
        : `known here: ${known.join(', ')}`
  problems.add(at, 'is not a known key', hint)
  if (meant !== undefined) problems.excuse([...at.slice(0, -1), meant])
}

/** A right key in the wrong map: the section that has it. */
function placeOfKey(key: string): string | undefined {
  const root = configJsonSchema()
  if (keysAt(root, []).includes(key)) return 'the top level of the file'
  const sections: KeyPath[] = [
    ['provider'],
    ['session'],
    ['login'],
    ['routes', 0],
    ['routes', 0, 'upstream'],
    ['brand'],
    ['limits'],
  ]
  const found = sections.find((section) => keysAt(root, section).includes(key))
  return found === undefined ? undefined : found.filter((step) => typeof step === 'string').join('.')
}

function sentenceOf(issue: Issue, value: unknown): { reason: string; hint: string } {
  const [reason = '', hint] = issue.message.split('\n')
  if (hint !== undefined) return { reason, hint }
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const words = issue.values.map(String)
    const meant = nearest(value, words)
    const options = `use ${orList(words)}`
    return {
      reason: `${quoted(value)} is not one of its values`,
      hint: meant === undefined ? options : `did you mean ${meant}? ${options}`,
    }
  }
  if (issue.code === 'invalid_type') {
    return { reason: `must be ${kindNames[issue.expected] ?? issue.expected}, not ${wrongKind(value)}`, hint: '' }
  }
  if (issue.code === 'invalid_union' || issue.code === 'invalid_value') {
    return { reason: `must be ${orList(expectedKinds(issue))}, not ${wrongKind(value)}`, hint: '' }
  }
  return { reason, hint: '' }
}

const kindNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}
const wrongKinds: Readonly<Record<Kind, string>> = {
  nothing: 'nothing',
  text: 'text',
  number: 'a number',
  truth: 'true or false',
  list: 'a list',
  map: 'a map',
}
const wrongKind = (value: unknown): string => wrongKinds[kindOf(value)]

/** Replaces a union's issue by those of the alternative that is of the kind the value has, if there is one. */
export function flattenUnion(issue: Issue, content: unknown): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const path = plainPath(issue)
  const kind = kindOf(valueAt(content, path))
  const fitting = issue.errors.find((branch) => branch.length > 0 && branch.every((inner) => fits(inner, kind)))
  if (fitting === undefined) return [issue]
  return fitting.flatMap((inner) => flattenUnion({ ...inner, path: [...path, ...inner.path] }, content))
}

function fits(issue: Issue, kind: Kind): boolean {
  if (kind === 'nothing') return false
  if (issue.path.length > 0) return true
  if (issue.code === 'invalid_type') return issue.expected === 'int' && kind === 'number'
  if (issue.code === 'invalid_value') return kind === 'text'
  if (issue.code === 'invalid_union') return issue.errors.some((branch) => branch.every((inner) => fits(inner, kind)))
  return true
}

function expectedKinds(issue: Issue): string[] {
  if (issue.code === 'invalid_union')
    return [...new Set(issue.errors.flatMap((branch) => branch.flatMap(expectedKinds)))]
  if (issue.code === 'invalid_value') return issue.values.map(String)
  return issue.code === 'invalid_type' ? [kindNames[issue.expected] ?? issue.expected] : []
}

export const plainPath = (issue: Issue): KeyPath =>
  issue.path.map((step) => (typeof step === 'number' ? step : String(step)))

/** `for example publicUrl: https://grafana.example.com`, from the schema's own examples. */
function exampleOf(at: KeyPath): string {
  const node: SchemaNode | undefined = nodeAt(configJsonSchema(), at)
  const example = node?.examples?.[0] ?? node?.default
  if (!isWorthSaying(example) || typeof at.at(-1) === 'number') return ''
  return `for example ${at.at(-1)}: ${asYaml(example)}`
}
