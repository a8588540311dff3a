/** Which test files there are, what each needs, and which of them share a process. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

export interface TestFiles {
  /** Share a few processes: starting one for each file costs more than most files themselves. */
  readonly shared: readonly string[]
  /** Say `// own process: why`, so each has one. */
  readonly alone: readonly string[]
  /** Use a browser, Redis, Keycloak or a gateway where there is one; each has a process of its own. */
  readonly real: readonly string[]
}

const partFinder = path.normalize('test/support/real-part.ts')

export function findTestFiles(patterns: readonly string[]): TestFiles {
  const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].sort()
  const reaches = createImportSearch()
  const real = files.filter((file) => reaches(file, partFinder))
  const others = files.filter((file) => !real.includes(file))
  const alone = others.filter((file) => /^\/\/ own process: \S/m.test(readFileSync(file, 'utf8')))
  return { shared: others.filter((file) => !alone.includes(file)), alone, real }
}

/** Whether a file leads to another by its imports; those of types alone are gone when it runs. */
function createImportSearch() {
  const known = new Map<string, readonly string[]>()
  const importsOf = (file: string): readonly string[] => {
    const text = existsSync(file) ? readFileSync(file, 'utf8').replace(/^import type .*$/gm, '') : ''
    const found = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+\.ts)'/g)]
    return found.map(([, name]) => path.join(path.dirname(file), name!))
  }
  return (file: string, wanted: string): boolean => {
    const seen = new Set<string>()
    const open = [file]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === wanted) return true
      if (seen.has(next)) continue
      seen.add(next)
      if (!known.has(next)) known.set(next, importsOf(next))
      open.push(...known.get(next)!)
    }
    return false
  }
}

/** The same lanes for the same files on every run: the largest file goes where the least is yet. */
export function splitIntoLanes(files: readonly string[], count: number): readonly (readonly string[])[] {
  const lanes = Array.from({ length: count }, () => ({ size: 0, files: [] as string[] }))
  const sized = files.map((file) => ({ file, size: statSync(file).size }))
  for (const { file, size } of sized.sort((one, other) => other.size - one.size || (one.file < other.file ? -1 : 1))) {
    const lane = lanes.reduce((least, next) => (next.size < least.size ? next : least))
    lane.files.push(file)
    lane.size += size
  }
  return lanes.map((lane) => lane.files.sort()).filter((lane) => lane.length > 0)
}
