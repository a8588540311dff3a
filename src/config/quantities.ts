import { quoted, Refused } from './refused.ts'

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Longer than anything in the file can sensibly be; keeps sums far from unsafe integers. */
const longestDuration = 3650 * 86_400_000

/** Reads `90s`, `12h`, `1h30m`, `7d` into milliseconds. A bare number is refused: nobody can tell its unit. */
export function parseDuration(text: string): number | Refused {
  const hint = 'write a number with its unit: 500ms, 90s, 15m, 12h, 1h30m or 7d'
  if (/^\d+$/.test(text) && Number(text) !== 0)
    return new Refused(`${quoted(text)} has no unit`, `did you mean ${text}s? ${hint}`)
  if (text === '0') return 0
  if (!/^(?:\d+(?:ms|[smhd]))+$/.test(text)) return new Refused(`${quoted(text)} is not a duration`, hint)
  const parts = [...text.matchAll(/(\d+)(ms|[smhd])/g)]
  const units = parts.map((part) => milliseconds[part[2]!]!)
  const descending = units.every((unit, index) => index === 0 || unit < units[index - 1]!)
  if (!descending) return new Refused(`${quoted(text)} names its units out of order or twice`, hint)
  const total = parts.reduce((sum, part, index) => sum + Number(part[1]) * units[index]!, 0)
  if (total > longestDuration) return new Refused(`${quoted(text)} is longer than ten years`, 'write a shorter time')
  return total
}

const bytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** Reads `512B`, `64KiB`, `10MiB`, `1GB` into bytes. A bare number is refused, as with durations. */
export function parseByteSize(text: string): number | Refused {
  const hint = 'write a number with its unit: 64KiB, 10MiB or 1GiB (KB, MB and GB count in thousands)'
  if (text === '0') return 0
  if (/^\d+$/.test(text)) return new Refused(`${quoted(text)} has no unit`, hint)
  const match = /^(\d{1,9})\s?([KMG]i?B|B)$/.exec(text)
  if (match === null) return new Refused(`${quoted(text)} is not a byte size`, hint)
  return Number(match[1]) * bytes[match[2]!]!
}
