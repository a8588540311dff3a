const milliseconds: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Go writes `168h0m0s` and `1.5h`. Milliseconds; undefined for what is no duration. */
export function readGoDuration(text: string): number | undefined {
  if (/^0+$/.test(text)) return 0
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[hms]))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g)]
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * milliseconds[unit!]!, 0))
}

/** `1h30m`, as our file has it. */
export function ourDuration(total: number): string {
  let rest = total
  const parts = Object.entries(milliseconds).flatMap(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? [] : [`${count}${unit}`]
  })
  return parts.length === 0 ? '0s' : parts.join('')
}
