/** Walking values nobody has checked yet. */
import type { KeyPath } from './problems.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a place of the file; undefined where there is none. */
export const valueAt = (content: unknown, path: KeyPath): unknown =>
  path.reduce<unknown>((value, step) => {
    if (Array.isArray(value) && typeof step === 'number') return value[step]
    return isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined
  }, content)

export type Kind = 'nothing' | 'text' | 'number' | 'truth' | 'list' | 'map'

export function kindOf(value: unknown): Kind {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number' || typeof value === 'bigint') return 'number'
  if (typeof value === 'boolean') return 'truth'
  return Array.isArray(value) ? 'list' : 'map'
}

/** The keys of a map, of nothing else. */
export const keysOf = (value: unknown): string[] => (isRecord(value) ? Object.keys(value) : [])

/** Removes the innermost map key on the way to `path`, if it is there. */
export function removeAt(content: unknown, path: KeyPath): void {
  for (let depth = path.length; depth > 0; depth--) {
    const step = path[depth - 1]!
    const parent = valueAt(content, path.slice(0, depth - 1))
    if (typeof step !== 'string' || !isRecord(parent)) continue
    delete parent[step]
    return
  }
}
