/** Patterns of the file over text that people may choose at the provider: bounded in length and in time. */
import vm from 'node:vm'

/** Characters of a text that is looked at; a longer one is not judged. */
export const mostMatched = 1_024
/** Milliseconds for all texts of a claim. A sane pattern needs microseconds; the rest is for a machine that is busy. */
const patience = 200
/** Claims remembered that took too long, so that whoever sends one again costs nothing. */
const mostRemembered = 1_000

const ask = new vm.Script('texts.some((text) => pattern.test(text))')

/**
 * Whether one of some texts matches. Undefined where nobody can say: a text is too long, or the pattern goes round in
 * circles over one (ReDoS). Node has one way to interrupt a regular expression, and that is this one; it costs a tenth
 * of a millisecond.
 *
 * @param pattern not global and not sticky
 */
export function boundedMatch(pattern: RegExp): (texts: readonly string[]) => boolean | undefined {
  const world = vm.createContext({ pattern, texts: [] })
  const endless = new Set<string>()
  return (texts) => {
    const short = texts.filter(({ length }) => length <= mostMatched)
    const key = short.join('\n')
    if (endless.has(key)) return undefined
    world.texts = short
    try {
      if (ask.runInContext(world, { timeout: patience }) === true) return true
      return short.length === texts.length ? false : undefined
    } catch (error) {
      if (!isTimeout(error)) throw error
      if (endless.size < mostRemembered) endless.add(key)
      return undefined
    }
  }
}

/** The error is made in the other world, so it is no `Error` of this one. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
