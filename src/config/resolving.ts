import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Environment } from './interpolate.ts'
import type { KeyPath, Problems } from './problems.ts'

/** What every part of the resolution needs: the file's content, the outside world, and where to report. */
export interface Resolving {
  readonly content: unknown
  readonly problems: Problems
  readonly warnings: Problems
  readonly env: Environment
  /** Relative file names start here. */
  readonly directory: string
  /** Every file that turned out to be part of the config. */
  readonly files: Set<string>
}

/** Absolute path of a file the config names, which is watched from now on. */
export function noteFile(file: string, { directory, files }: Resolving): string {
  const absolute = path.resolve(directory, file)
  files.add(absolute)
  return absolute
}

/** Contents of a file the config needs now; undefined, with a problem, where it cannot be had. */
export function readNamedFile(file: string, at: KeyPath, most: number, context: Resolving): Buffer | undefined {
  const absolute = noteFile(file, context)
  try {
    const { size } = statSync(absolute)
    if (size <= most) return readFileSync(absolute)
    context.problems.add(at, `the file ${absolute} is larger than ${most / 1024} KiB`, 'name a smaller one')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'does not exist',
      EACCES: 'may not be read by this user',
      EISDIR: 'is a directory',
    }
    context.problems.add(
      at,
      `the file ${absolute} ${reasons[code] ?? `cannot be read (${code})`}`,
      'relative names start beside the config file',
    )
  }
  return undefined
}
