/**
 * Which cookies of a request stay behind on the way to an upstream: our own, and those the file names for its route.
 * Names are compared without case and with percent-escapes read (some frameworks read them in names): a spelling that
 * the application may take for the same cookie is not passed either.
 *
 * @param patterns exact names, or the beginning of some and a `*`
 * @param isOwn whether a cookie is one of ours
 */
export function createDroppedCookieTest(
  patterns: readonly string[],
  isOwn: (name: string) => boolean,
): (name: string) => boolean {
  if (patterns.length === 0) return isOwn
  const folded = patterns.map(fold)
  const exact = new Set(folded.filter((pattern) => !pattern.endsWith('*')))
  const beginnings = folded.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  return (name) => {
    if (isOwn(name)) return true
    const asked = fold(name)
    return exact.has(asked) || beginnings.some((beginning) => asked.startsWith(beginning))
  }
}

const fold = (name: string): string =>
  (name.includes('%') ? name.replaceAll(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))) : name)
    .trim()
    .toLowerCase()
