/** A loop of the pattern, or a group that is open. */
interface Group {
  /** Something inside repeats without an end. */
  loops: boolean
}

/**
 * Whether a repeated group holds something repeated, `(a+)+`: a text that does not match can take for ever, since the
 * pattern tries each way to share it out. Harmless where a separator settles the shares; whoever reads the warning knows.
 *
 * @param source of a pattern that compiles with the flag `u`
 */
export function hasNestedQuantifier(source: string): boolean {
  const open: Group[] = [{ loops: false }]
  // Escapes, classes, group heads and ends, quantifiers; all else is one character.
  for (const [token] of source.matchAll(
    /\\(?:[pPux]\{[^}]*\}|.)|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:<?[=!:]|<\w+>))?|\)(?:[*+]|\{\d+,\})?|[*+]|\{\d+,\}/gsu,
  )) {
    const group = open.at(-1)!
    if (token.startsWith('(')) open.push({ loops: false })
    else if (token.startsWith(')')) {
      open.pop()
      if (group.loops && token.length > 1) return true
      open.at(-1)!.loops ||= group.loops || token.length > 1
    } else if (/^[*+{]/.test(token)) group.loops = true
  }
  return false
}
