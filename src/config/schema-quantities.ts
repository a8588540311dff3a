import { parseByteSize, parseDuration } from './quantities.ts'
import { Refused } from './refused.ts'
import { named, reasonAndHint } from './schema-values.ts'

const needsUnit = (example: string) => reasonAndHint('must be a number with its unit', `write ${example}`)

/** Milliseconds, written `90s`, `15m`, `12h`, `1h30m`, `7d`. */
export const duration = ({ least = 0, most = Number.MAX_SAFE_INTEGER }: { least?: number; most?: number } = {}) =>
  named(
    'duration',
    (written) => {
      const value = parseDuration(written)
      if (value instanceof Refused) return value
      if (value < least) return new Refused('is too short', `write at least ${least / 1000}s`)
      if (value > most) return new Refused('is too long', `write at most ${most / 1000}s`)
      return value
    },
    needsUnit('90s, 15m, 12h or 7d'),
  )

/** Bytes, written `64KiB`, `10MiB`, `1GiB`. */
export const byteSize = (least = 0) =>
  named(
    'size',
    (written) => {
      const value = parseByteSize(written)
      if (value instanceof Refused || value >= least) return value
      return new Refused('is too small', `write at least ${least / 1024}KiB`)
    },
    needsUnit('64KiB, 10MiB or 1GiB'),
  )
