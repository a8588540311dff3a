import type { z } from 'zod'
import { flattenUnion, type Issue, plainPath, reportIssue } from './issues.ts'
import { formatPath, type KeyPath, type Problems } from './problems.ts'
import { removeAt, valueAt } from './tree.ts'

/** More rounds than a part of the file has levels of required keys would find nothing new. */
const mostRounds = 4

/**
 * Reads one part of the file by its schema and reports every problem in it. Broken optional keys are then left
 * out, so that the rest can be checked too; undefined where too little is left. Whoever relies on a key that
 * may have been left out asks `problems.clean` first.
 */
export function readShape<S extends z.ZodType>(
  schema: S,
  content: unknown,
  path: KeyPath,
  problems: Problems,
): z.output<S> | undefined {
  const place = { content: valueAt(content, path), path }
  const first = schema.safeParse(place.content)
  if (first.success) return first.data
  const issues = first.error.issues.flatMap((issue) => flattenUnion(issue, place.content))
  for (const issue of tellingOnes(issues)) reportIssue(issue, place, problems)
  return salvage(schema, place.content, issues)
}

function salvage<S extends z.ZodType>(schema: S, content: unknown, issues: readonly Issue[]): z.output<S> | undefined {
  const rest = structuredClone(content)
  let broken = issues
  for (let round = 0; round < mostRounds; round++) {
    const before = structuredClone(rest)
    if (!broken.every((issue) => dropIssue(rest, before, issue))) return undefined
    const again = schema.safeParse(rest)
    if (again.success) return again.data
    broken = again.error.issues.flatMap((issue) => flattenUnion(issue, rest))
  }
  return undefined
}

/** Unknown keys first: a slip explains the missing key, and why a map seems to say nothing. */
function tellingOnes(issues: readonly Issue[]): readonly Issue[] {
  const unknown = issues.filter(({ code }) => code === 'unrecognized_keys')
  const places = new Set(unknown.map((issue) => formatPath(plainPath(issue))))
  const others = issues.filter((issue) => issue.code !== 'unrecognized_keys')
  return [...unknown, ...others.filter((issue) => issue.code !== 'custom' || !places.has(formatPath(plainPath(issue))))]
}

/** Takes the broken key out; the map around it where the key is missing. False where there is nothing to take. */
function dropIssue(rest: unknown, before: unknown, issue: Issue): boolean {
  const path = plainPath(issue)
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) removeAt(rest, [...path, key])
    return true
  }
  const target = valueAt(before, path) === undefined ? path.slice(0, -1) : path
  removeAt(rest, target)
  return target.length > 0
}
