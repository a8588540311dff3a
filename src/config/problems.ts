/** A place in the file: keys and list positions from the top. */
export type KeyPath = readonly (string | number)[]

/** One thing wrong with a file (or worth a warning): where, why, and what to do next. */
export interface ConfigProblem {
  /** `routes[1].allow.groups`; empty for the file as a whole. */
  readonly path: string
  /** Counted from 1; undefined where the file has no such place (it could not be read at all). */
  readonly line: number | undefined
  /** One sentence without its full stop. Never holds a secret. */
  readonly message: string
  /** What to write instead; empty where the message says it all. */
  readonly hint: string
}

/** Every problem of a file at once. `message` is the report people read. */
export class ConfigError extends Error {
  readonly file: string
  readonly problems: readonly ConfigProblem[]

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super([`${file}: ${count}`, ...problems.map((problem) => formatProblem(file, problem))].join('\n'))
    this.name = 'ConfigError'
    this.file = file
    this.problems = problems
  }
}

/** `doorward.yaml:12: session.idle: "90" has no unit` and the hint on a line of its own. */
export function formatProblem(file: string, { path, line, message, hint }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}`
  const sentence = [place, path, message].filter((part) => part !== '').join(': ')
  return hint === '' ? sentence : `${sentence}\n    ${hint}`
}

/** Collects problems of one file while it is read. The only door to messages, so secrets are taken out here. */
export interface Problems {
  /** `line` where it is not the one of `path`. */
  add(path: KeyPath, message: string, hint?: string, line?: number): void
  /** Further problems at exactly this place are explained by one reported already, and not wanted. */
  excuse(path: KeyPath): void
  /**
   * True where neither the places nor anything under them has a problem yet, and none is excused there: cross-checks
   * would mislead otherwise.
   */
  clean(...paths: KeyPath[]): boolean
  /** From now on `text` is shown as `shownAs` in every message, earlier ones included. */
  hide(text: string, shownAs: string): void
  list(): readonly ConfigProblem[]
}

export function collectProblems(lineOf: (path: KeyPath) => number | undefined): Problems {
  const found: ConfigProblem[] = []
  const hidden = new Map<string, string>()
  const excused = new Set<string>()
  const scrub = (text: string) => {
    // Longest first: a hidden text may be part of another.
    const texts = [...hidden].sort(([a], [b]) => b.length - a.length)
    return texts.reduce((line, [secret, shownAs]) => line.replaceAll(secret, shownAs), text)
  }
  return {
    add(path, message, hint = '', line = lineOf(path)) {
      const at = formatPath(path)
      const known = found.some((problem) => problem.path === at && problem.message === message)
      if (!known && !excused.has(at)) found.push({ path: at, line, message, hint })
    },
    excuse(path) {
      excused.add(formatPath(path))
    },
    clean(...paths) {
      const wanted = paths.map(formatPath)
      const places = [...found.map(({ path }) => path), ...excused]
      return !places.some((path) => wanted.some((place) => path === place || isUnder(path, place)))
    },
    hide(text, shownAs) {
      if (text !== '') hidden.set(text, shownAs)
    },
    list() {
      const scrubbed = found.map(({ path, line, message, hint }) => ({
        path: scrub(path),
        line,
        message: scrub(message),
        hint: scrub(hint),
      }))
      return scrubbed.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    },
  }
}

const isUnder = (path: string, place: string): boolean =>
  place === '' || path.startsWith(`${place}.`) || path.startsWith(`${place}[`)

/** `['routes', 1, 'allow']` -> `routes[1].allow`. */
export function formatPath(path: KeyPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}
