import type { Environment } from '../config/interpolate.ts'

/** Meanings, not colours: what the eye should find first. */
export interface Paint {
  good(text: string): string
  bad(text: string): string
  warning(text: string): string
  strong(text: string): string
  quiet(text: string): string
}

export function createPaint(colourful: boolean): Paint {
  const by = (code: number) => (text: string) => (colourful ? `\x1b[${code}m${text}\x1b[0m` : text)
  return { good: by(32), bad: by(31), warning: by(33), strong: by(1), quiet: by(2) }
}

/** https://no-color.org and https://force-color.org: set and not empty counts, and no beats yes. */
export function isColourful({ isTTY }: { readonly isTTY?: boolean }, env: Environment): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return isTTY === true && env.TERM !== 'dumb'
}
