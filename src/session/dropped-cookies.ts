/**
 * Which cookies of a request stay behind on the way to an upstream: our own, and those the file names for its route.
 * Names are compared as the most forgiving reader of them would: without case, with percent-escapes read, without what
 * surrounds them (Python's framework strips any white space, U+0085 too), and with PHP's underscores. A spelling that the
 * application may take for the same cookie is not passed either.
 *
 * @param patterns exact names, or the beginning of some and a `*`
 * @param isOwn whether a cookie is one of ours
 * @returns takes the name, and all of the pair: some readers find further cookies behind white space in it
 */
export function createDroppedCookieTest(
  patterns: readonly string[],
  isOwn: (name: string) => boolean,
): (name: string, pair?: string) => boolean {
  if (patterns.length === 0) return isOwn
  const folded = patterns.map(fold)
  const exact = new Set(folded.filter((pattern) => !pattern.endsWith('*')))
  const beginnings = folded.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  const isNamed = (name: string): boolean => {
    const asked = fold(name)
    return exact.has(asked) || beginnings.some((beginning) => asked.startsWith(beginning))
  }
  return (name, pair = '') => isOwn(name) || isNamed(name) || namesWithin(pair).some(isNamed)
}

function fold(name: string): string {
  // Nearly every name; the rest would make a long header expensive.
  if (/^[\w-]*$/.test(name)) return name.toLowerCase()
  const [text = ''] = decoded(name).split('\0', 1)
  // One character each time: a run with `+` and `$` would start anew at each of thousands of blanks.
  const visible = text.replaceAll('"', '').replaceAll(/[^\x21-\x7e]/g, ' ')
  return visible.trim().replaceAll(/[ .[]/g, '_').toLowerCase()
}

const decoded = (name: string): string =>
  name
    .replaceAll('+', ' ')
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** `a=1 b=2` is two cookies to Python's `SimpleCookie`: white space ends a value, a name stands before `=`. */
function namesWithin(pair: string): string[] {
  if (!/[^\x21-\x7e]/.test(pair.trim())) return []
  const pieces = pair.split('=').slice(0, -1)
  return pieces.flatMap((piece) => {
    const words = piece.split(/[^\x21-\x7e]+/).filter((word) => word !== '')
    return words.length > 1 || /^[^\x21-\x7e]/.test(piece) ? (words.at(-1) ?? []) : []
  })
}
