/** The candidate spelled most like `word`, for "did you mean"; undefined where none is close enough to be a slip. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = fold(word)
  const scored = candidates.map((candidate) => ({ candidate, distance: editDistance(wanted, fold(candidate)) }))
  const best = scored.sort((a, b) => a.distance - b.distance)[0]
  if (best === undefined) return undefined
  const longer = candidates.filter((candidate) => wanted.length >= 3 && fold(candidate).startsWith(wanted))
  if (longer.length === 1) return longer[0]
  const tolerated = Math.max(1, Math.floor(Math.max(wanted.length, best.candidate.length) / 3))
  if (best.distance <= tolerated) return best.candidate
  // `authorize` for `authorization`: another ending of the same long word.
  const related = candidates.filter((candidate) => wanted.length >= 7 && fold(candidate).startsWith(wanted.slice(0, 7)))
  return related.length === 1 ? related[0] : undefined
}

/** `client_id`, `client-id` and `CLIENTID` are slips of `clientId`. */
const fold = (word: string): string => word.toLowerCase().replaceAll(/[-_\s]/g, '')

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, rows[i - 2]![j - 2]! + 1)
      row.push(cost)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
