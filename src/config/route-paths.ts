/** What a route's `path` may say, and which one covers which. */
import { quoted, Refused } from './refused.ts'

/** Reads `/exact` or `/prefix/*`. Rules match decoded paths, so nothing encoded or ambiguous can ever match. */
export function parseRoutePath(written: string): string | Refused {
  const hint = 'write /exact, or /prefix/* for everything below it'
  if (!written.startsWith('/'))
    return new Refused(`${quoted(written)} does not start with a slash`, `did you mean /${written}?`)
  const star = written.indexOf('*')
  if (star !== -1 && (star !== written.length - 1 || !written.endsWith('/*'))) {
    return new Refused(`${quoted(written)} has a * where none is read`, hint)
  }
  if (/[?#]/.test(written))
    return new Refused(`${quoted(written)} holds a query or fragment`, 'routes match paths alone')
  if (/%(?!2F)/i.test(written))
    return new Refused(`${quoted(written)} is percent-encoded`, 'write the decoded characters')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f\\;]/.test(written)) {
    return new Refused(
      `${quoted(written)} holds a backslash, semicolon or control character`,
      'such requests are always refused',
    )
  }
  if (written.includes('//') || /\/\.{1,2}(?:\/|$)/.test(written)) {
    return new Refused(`${quoted(written)} holds an empty or dot segment`, 'such requests are always refused')
  }
  return written.replaceAll(/%2f/g, '%2F')
}

/** Every path `narrow` matches is also matched by `wide`. Spelled alike; case is the caller's business. */
export function pathCovers(wide: string, narrow: string): boolean {
  if (!wide.endsWith('/*')) return wide === narrow
  const prefix = wide.slice(0, -2)
  const base = narrow.endsWith('/*') ? narrow.slice(0, -2) : narrow
  return base === prefix || base.startsWith(`${prefix}/`)
}
